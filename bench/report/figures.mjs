/**
 * What `--json` writes, and nothing else: a script that holds budgets, and `compare.mjs`, go by it.
 */
export function figuresOf({environment, results}) {
  return {
    environment,
    results: results.map(({question, subject, against, unit, value, ratio, rounds, correct}) => {
      const {median, min, max} = ratio;
      return {
        question, subject, against, unit, value, ratio: {median, min, max}, rounds, correct,
      };
    }),
  };
}
