/** A piece of SQL with `?` where a value goes: what connectors build and take. */
export interface Fragment {
  readonly sql: string;
  readonly params: readonly unknown[];
}

export function raw(sql: string): Fragment {
  return {sql, params: []};
}

export function param(value: unknown, cast = ''): Fragment {
  return {sql: `?${cast}`, params: [value]};
}

export function join(fragments: readonly Fragment[], separator: string): Fragment {
  return {
    sql: fragments.map(f => f.sql).join(separator),
    params: fragments.flatMap(f => f.params),
  };
}

/** ``sql`UPDATE ${table} SET ${assignments}` ``: strings are SQL, fragments bring their values. */
export function sql(strings: TemplateStringsArray, ...parts: (string | Fragment)[]): Fragment {
  let text = strings[0];
  const params: unknown[] = [];
  parts.forEach((part, i) => {
    if (typeof part === 'string') {
      text += part;
    } else {
      text += part.sql;
      params.push(...part.params);
    }
    text += strings[i + 1];
  });
  return {sql: text, params};
}

/** The statement as PostgreSQL takes it: `$1`, `$2`, … in place of `?`. */
export function numbered(fragment: Fragment): {text: string; values: unknown[]} {
  let n = 0;
  return {text: fragment.sql.replace(/\?/g, () => `$${++n}`), values: [...fragment.params]};
}
