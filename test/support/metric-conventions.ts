/** What `promtool check metrics` complains about, so that it is known without promtool: the rules of promlint. */

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly metrics: readonly { readonly labels?: Readonly<Record<string, string>> }[];
}

const PREFIXES =
  '(pico|nano|micro|milli|centi|deci|deca|deka|hecto|kilo|kibi|mega|mibi|giga|gibi|tera|tebi|peta|pebi)';
const BASE_UNITS =
  '(amperes|bytes|celsius|grams|joules|kelvins?|meters|metres|moles|seconds|volts|candelas?|ratios?)';
const OTHER_UNITS =
  /(^|_)(minutes?|hours?|days?|weeks?|fahrenheit|rankine|inches|yards|miles|bits?|percents?)(_|$)/;
const ABBREVIATION = /_(s|ms|us|ns|sec|b|kb|mb|gb|tb|pb|m|h|d)(_|$)/;
const TYPE_WORD = /_(counter|gauge|histogram|summary)(_|$)/;

interface Rule {
  readonly complaint: string;
  readonly breaks: (family: Family) => boolean;
}

const RULES: readonly Rule[] = [
  { complaint: 'no help text', breaks: ({ help }) => help.trim() === '' },
  {
    complaint: 'counter metrics should have "_total" suffix',
    breaks: ({ name, type }) => type === 'COUNTER' && !name.endsWith('_total'),
  },
  {
    complaint: 'non-counter metrics should not have "_total" suffix',
    breaks: ({ name, type }) => type !== 'COUNTER' && name.endsWith('_total'),
  },
  {
    complaint: 'reserved suffix of a histogram or summary',
    breaks: ({ name, type }) => isPlain(type) && /_(bucket|count|sum)$/.test(name),
  },
  {
    complaint: 'reserved label of a histogram or summary',
    breaks: ({ type, metrics }) =>
      isPlain(type) && metrics.some(({ labels = {} }) => 'le' in labels || 'quantile' in labels),
  },
  { complaint: 'metric type in the name', breaks: ({ name }) => TYPE_WORD.test(name) },
  { complaint: 'a colon is reserved for recording rules', breaks: ({ name }) => name.includes(':') },
  {
    complaint: 'not snake_case',
    breaks: ({ name, metrics }) =>
      [name, ...metrics.flatMap(({ labels = {} }) => Object.keys(labels))].some((one) =>
        /[a-z][A-Z]/.test(one),
      ),
  },
  { complaint: 'abbreviated unit', breaks: ({ name }) => ABBREVIATION.test(name) },
  {
    complaint: 'no base unit',
    breaks: ({ name }) =>
      OTHER_UNITS.test(name) || new RegExp(`(^|_)${PREFIXES}${BASE_UNITS}(_|$)`).test(name),
  },
  {
    complaint: 'the unit is not the suffix',
    breaks: ({ name }) => new RegExp(`_${BASE_UNITS}_(?!total$)`).test(name),
  },
];

function isPlain(type: string): boolean {
  return type !== 'HISTOGRAM' && type !== 'SUMMARY';
}

/** Every rule that a metric breaks, with its name. */
export function complaints(family: Family): readonly string[] {
  return RULES.filter(({ breaks }) => breaks(family)).map(({ complaint }) => `${family.name}: ${complaint}`);
}
