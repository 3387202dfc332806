import { type DataSource, Repository } from 'typeorm'
import { Author } from '../../support/entities/index.js'

export interface AuthorExtras {
  named(this: Repository<Author>, name: string): Promise<Author | null>
}

/** Methods for `repository.extend()`. */
export const authorExtras: AuthorExtras = {
  named(name) {
    return this.findOneBy({ name })
  },
}

/** A repository as NestJS's documentation makes them. */
export class AuthorDesk extends Repository<Author> {
  constructor(dataSource: DataSource) {
    super(Author, dataSource.createEntityManager())
  }

  hire(name: string): Promise<Author> {
    return this.save({ name }) as Promise<Author>
  }
}
