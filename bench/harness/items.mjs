/** The rows of the repository questions: what is written, and what has to be read. */
export function itemOf(id) {
  return {
    id,
    name: `Oak chair ${id}`,
    category: 'chairs',
    qty: 4,
    price: 129.5,
    cardNo: cardNoOf(id),
  };
}

function cardNoOf(id) {
  return `4111 1111 ${id.slice(-9)}`;
}

/** Whether this is the row that was written, with that quantity by now. */
export function isItem(row, qty = 4) {
  const wanted = {...itemOf(row.id), qty};
  return Object.keys(wanted).every(name => row[name] === wanted[name]);
}
