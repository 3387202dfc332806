/**
 * A behaviour is kept as it is (Y), adapted to TypeORM (A), or means nothing with TypeORM (N):
 * docs/from-octopus.md says why, and what to write instead.
 */
export type Verdict = 'Y' | 'A' | 'N'

/**
 * The behaviours of the specs of Octopus for ActiveRecord (0.10.2): 360 examples and 6 scenarios. They
 * are numbered by spec file, and have one letter each, in tens. M87 to M90 and Q1 are adapted in part:
 * docs/from-octopus.md has them too.
 */
const verdicts = {
  O: 'AANNYAAAAY Y',
  M: [
    'AYYAAYYAYA YYYYYYAYYY YYYAAAAAAY YYAANYYAAA AAAAAAYYYY',
    'YYAAAAAAAY YYAAAAAAAA YAYAAAAAAA AAAYYAAAAA YYAAAAA',
  ].join(' '),
  P: 'YAYAAAAYYY AAAAAAAAAY YYYNYYYYYA AYY',
  SP: 'ANAAAAAAYA NNN',
  R: 'AANYAANAAA AAAAYYAYY',
  A: 'AAAAAAAAAA AAAAAAAANN NANANANANA AAANAAANNA AAAYA',
  RP: 'YYYYYYAAYY YYAYY',
  G: 'YAAYYYAAY',
  MG: 'AAAAAAAAYN YYAAAAAAAA',
  Q: 'AAAA',
  LB: 'AY',
  LG: 'Y',
  CP: 'A',
} as const satisfies Record<string, string>

/** The kinds of relation that Octopus has the behaviours A1 to A39 for, all four if nothing else is said. */
const kinds = ['many-to-many', 'through', 'one-to-many', 'polymorphic'] as const
const fewerKinds: Readonly<Record<string, readonly (typeof kinds)[number][]>> = {
  A2: ['many-to-many', 'one-to-many', 'polymorphic'],
  A4: ['many-to-many', 'through', 'one-to-many'],
  A33: ['one-to-many', 'polymorphic'],
  A34: ['one-to-many', 'polymorphic'],
  A35: ['polymorphic'],
  A36: ['one-to-many'],
  A37: ['one-to-many'],
  A38: ['one-to-many'],
  A39: ['one-to-many'],
}

/** One example or scenario of Octopus's specs. */
interface Behaviour {
  /** As in a row of its own: `M27`, `A4 one-to-many`. */
  readonly number: string
  readonly verdict: Verdict
}

const examplesOf = (group: string, at: number): readonly string[] => {
  const number = `${group}${String(at)}`
  if (group !== 'A' || at >= 40) return [number]
  return (fewerKinds[number] ?? kinds).map((kind) => `${number} ${kind}`)
}

export const behaviours: readonly Behaviour[] = Object.entries(verdicts).flatMap(
  ([group, letters]) =>
    letters
      .replaceAll(' ', '')
      .split('')
      .flatMap((letter, index) =>
        examplesOf(group, index + 1).map((number) => ({ number, verdict: letter as Verdict })),
      ),
)

/** The number of a behaviour without the kind of relation or another variant. */
export const bareNumber = (number: string): string => number.replace(/ .*/, '')
