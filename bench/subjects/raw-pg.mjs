/** The limit: the same three writes by `pg` itself, as named statements, and nothing else. */
import pg from 'pg';
import {serveRepository} from './repository.mjs';

const CREATE = `CREATE TABLE item (
  id text PRIMARY KEY, name text NOT NULL, category text NOT NULL, qty integer NOT NULL,
  price double precision, cardno text)`;

serveRepository(async connectionString => {
  const client = new pg.Client({connectionString});
  await client.connect();
  await client.query(CREATE);
  const run = (name, text, values) => client.query({name, text, values});
  return {
    create: ({id, name, category, qty, price, cardNo}) =>
      run('create', 'INSERT INTO item VALUES ($1, $2, $3, $4, $5, $6)',
        [id, name, category, qty, price, cardNo]),
    update: (id, {qty}) => run('update', 'UPDATE item SET qty = $2 WHERE id = $1', [id, qty]),
    delete: id => run('delete', 'DELETE FROM item WHERE id = $1', [id]),
  };
});
