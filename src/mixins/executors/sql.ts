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
  let text = '';
  const params: unknown[] = [];
  for (let i = 0; i < fragments.length; i++) {
    text += i === 0 ? fragments[i].sql : separator + fragments[i].sql;
    for (const value of fragments[i].params) params.push(value);
  }
  return {sql: text, params};
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

/** A statement's text as PostgreSQL takes it: `$1`, `$2`, … in place of `?`. */
export function numbered(sql: string): string {
  const parts = sql.split('?');
  let text = parts[0];
  for (let n = 1; n < parts.length; n++) text += `$${n}${parts[n]}`;
  return text;
}
