import { h, render } from 'preact'
import { Inspector } from './inspector.js'
import { chooseTheme, chosenTheme } from './theme.js'

chooseTheme(chosenTheme())
const place = document.getElementById('page')
if (place === null) throw new Error('The page has no place for the inspector.')
render(<Inspector />, place)
