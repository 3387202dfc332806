import {
  Column,
  Entity,
  JoinColumn,
  JoinTable,
  ManyToMany,
  ManyToOne,
  OneToMany,
  OneToOne,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm'

export abstract class Named {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
}

@Entity('assoc_role')
export class Role extends Named {
  @ManyToMany(() => Permission, (permission) => permission.roles, { cascade: true })
  @JoinTable({ name: 'assoc_role_permission' })
  permissions?: Relation<Permission>[]
}

@Entity('assoc_permission')
export class Permission extends Named {
  @ManyToMany(() => Role, (role) => role.permissions)
  roles?: Relation<Role>[]
}

@Entity('assoc_programmer')
export class Programmer extends Named {
  @OneToMany(() => Assignment, (assignment) => assignment.programmer, { cascade: true })
  assignments?: Relation<Assignment>[]
}

@Entity('assoc_project')
export class Project extends Named {
  @OneToMany(() => Assignment, (assignment) => assignment.project, { cascade: true })
  assignments?: Relation<Assignment>[]
}

/** Who works on what, and as what. Without either of the two it goes. */
@Entity('assoc_assignment')
export class Assignment {
  @PrimaryGeneratedColumn() id!: number
  @Column() duty!: string
  @ManyToOne(() => Programmer, (programmer) => programmer.assignments, {
    onDelete: 'CASCADE',
    orphanedRowAction: 'delete',
  })
  programmer?: Relation<Programmer>
  @ManyToOne(() => Project, (project) => project.assignments, {
    cascade: ['insert'],
    onDelete: 'CASCADE',
    orphanedRowAction: 'delete',
  })
  project?: Relation<Project>
}

@Entity('assoc_client')
export class Client extends Named {
  @OneToMany(() => Item, (item) => item.client, { cascade: true }) items?: Relation<Item>[]
}

@Entity('assoc_item')
export class Item extends Named {
  @ManyToOne(() => Client, (client) => client.items, { onDelete: 'SET NULL' })
  client?: Relation<Client> | null
}

/** Belongs to an entity of any kind, by columns that are no relation to TypeORM. */
@Entity('assoc_comment')
export class Comment extends Named {
  @Column({ type: 'varchar', nullable: true }) ownerType?: string | null
  @Column({ type: 'int', nullable: true }) ownerId?: number | null
}

@Entity('assoc_computer')
export class Computer extends Named {
  @OneToOne(() => Keyboard, (keyboard) => keyboard.computer, { cascade: true })
  keyboard?: Relation<Keyboard> | null
}

@Entity('assoc_keyboard')
export class Keyboard extends Named {
  @OneToOne(() => Computer, (computer) => computer.keyboard)
  @JoinColumn()
  computer?: Relation<Computer> | null
}

/** A team's relations are lazy, and so are those of what belongs to it. */
@Entity('assoc_team')
export class Team extends Named {
  @OneToOne(() => Coach, (coach) => coach.team, { lazy: true, cascade: true })
  coach!: Promise<Relation<Coach> | null>
  @OneToMany(() => Player, (player) => player.team, { lazy: true, cascade: true })
  players!: Promise<Relation<Player>[]>
  @ManyToMany(() => Sponsor, { lazy: true, cascade: true })
  @JoinTable({ name: 'assoc_team_sponsor' })
  sponsors!: Promise<Relation<Sponsor>[]>
}

@Entity('assoc_coach')
export class Coach extends Named {
  @OneToOne(() => Team, (team) => team.coach, { lazy: true })
  @JoinColumn()
  team!: Promise<Relation<Team> | null>
}

@Entity('assoc_player')
export class Player extends Named {
  @ManyToOne(() => Team, (team) => team.players, { lazy: true })
  team!: Promise<Relation<Team> | null>
}

@Entity('assoc_sponsor')
export class Sponsor extends Named {}

/** An order's relations are eager. */
@Entity('assoc_order')
export class Order extends Named {
  @OneToOne(() => Invoice, (invoice) => invoice.order, { eager: true, cascade: true })
  invoice?: Relation<Invoice> | null
  @OneToMany(() => Line, (line) => line.order, { eager: true, cascade: true })
  lines?: Relation<Line>[]
  @ManyToMany(() => Label, { eager: true, cascade: true })
  @JoinTable({ name: 'assoc_order_label' })
  labels?: Relation<Label>[]
}

@Entity('assoc_invoice')
export class Invoice extends Named {
  @OneToOne(() => Order, (order) => order.invoice)
  @JoinColumn()
  order?: Relation<Order> | null
}

@Entity('assoc_line')
export class Line extends Named {
  @ManyToOne(() => Order, (order) => order.lines) order?: Relation<Order> | null
  @ManyToOne(() => Product, { eager: true, cascade: true }) product?: Relation<Product> | null
}

@Entity('assoc_product')
export class Product extends Named {}

@Entity('assoc_label')
export class Label extends Named {}

export const entities = [
  [Role, Permission, Programmer, Project, Assignment, Client, Item, Comment, Computer, Keyboard],
  [Team, Coach, Player, Sponsor],
  [Order, Invoice, Line, Product, Label],
].flat()
