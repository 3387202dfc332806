import { describeRows } from './describe-rows.js'

describeRows('mariadb')
