/** The rows of the realtime questions: what is written, and what has to arrive and be stored. */
export function productOf(id, category) {
  return {id, name: `Oak chair ${id}`, category, qty: 4, price: 129.5};
}

/** Whether this is the very row that was written; a peer may add properties of its own. */
export function isProduct(row, category) {
  const wanted = productOf(row.id, category);
  return Object.keys(wanted).every(name => row[name] === wanted[name]);
}
