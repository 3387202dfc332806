import {
  Column,
  Entity,
  JoinColumn,
  JoinTable,
  ManyToMany,
  ManyToOne,
  OneToMany,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm'

@Entity('tag')
export class Tag {
  @PrimaryGeneratedColumn() id!: number
  @Column() label!: string
}

/** Writes posts; its relations, like theirs, are lazy. */
@Entity('author')
export class Author {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @OneToMany('Post', 'author') posts!: Promise<Relation<Post>[]>
}

@Entity('post')
export class Post {
  @PrimaryGeneratedColumn() id!: number
  @Column() title!: string
  @ManyToOne('Author', 'posts', { nullable: true })
  @JoinColumn({ name: 'author_id' })
  author!: Promise<Relation<Author>>
  @OneToMany('Remark', 'post') remarks!: Promise<Relation<Remark>[]>
  @ManyToMany(() => Tag)
  @JoinTable({
    name: 'post_tag',
    joinColumn: { name: 'post_id' },
    inverseJoinColumn: { name: 'tag_id' },
  })
  tags!: Tag[]
}

@Entity('remark')
export class Remark {
  @PrimaryGeneratedColumn() id!: number
  @Column() text!: string
  @ManyToOne('Post', 'remarks', { nullable: true })
  @JoinColumn({ name: 'post_id' })
  post!: Promise<Relation<Post>>
}
