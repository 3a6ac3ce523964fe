import assert from 'node:assert/strict';
import {WriteJournal, type Span} from '../../../adapters/loopback/journal';

type Kind = 'read' | 'answered';

describe('the journal of writes', () => {
  let journal: WriteJournal<string>;
  beforeEach(() => (journal = new WriteJournal()));

  function ended(span: Span<string>, keys: string[], kind: Kind = 'read', isOpen = false) {
    const writes = journal.writesOf(span, 'Task');
    for (const key of keys) writes.keys.add(key);
    writes.isRead = kind === 'read';
    writes.isOpen = isOpen;
    journal.end(span);
    return writes.inDoubt;
  }

  it('doubts none of two writes of one row that came one after the other', () => {
    assert.equal(ended(journal.begin(), ['a']), false);
    assert.equal(ended(journal.begin(), ['a']), false);
  });

  it('doubts the later of two that overlapped, also when others ended in between', () => {
    const [first, second] = [journal.begin(), journal.begin()];
    assert.equal(ended(second, ['a']), false);
    assert.equal(ended(journal.begin(), ['b']), false);
    assert.equal(ended(first, ['a']), true);
  });

  it('doubts no writes of different rows', () => {
    const [first, second] = [journal.begin(), journal.begin()];
    assert.equal(ended(second, ['a']), false);
    assert.equal(ended(first, ['b']), false);
  });

  it('doubts no rows that the statements themselves have answered', () => {
    const [first, second] = [journal.begin(), journal.begin()];
    assert.equal(ended(second, ['a'], 'answered'), false);
    assert.equal(ended(first, ['a'], 'answered'), false);
    assert.equal(ended(journal.begin(), ['a'], 'answered'), false);
  });

  it('doubts rows that were read around a write that another statement came between', () => {
    const [first, second] = [journal.begin(), journal.begin()];
    assert.equal(ended(second, ['a'], 'answered'), false);
    assert.equal(ended(first, ['a'], 'read'), true);
  });

  it('doubts a write of a condition that overlapped with any other', () => {
    const [first, second] = [journal.begin(), journal.begin()];
    assert.equal(ended(second, ['a']), false);
    assert.equal(ended(first, ['b'], 'read', true), true);
  });

  it('doubts nothing because of what was rolled back', () => {
    const [first, second] = [journal.begin(), journal.begin()];
    journal.writesOf(second, 'Task').keys.add('a');
    journal.drop(second);
    assert.equal(ended(first, ['a']), false);
  });

  it('doubts a write that was open for longer than is remembered', () => {
    const long = journal.begin();
    for (let i = 0; i <= 10_000; i++) ended(journal.begin(), [`${i}`], 'answered');
    assert.equal(ended(long, ['nobody else'], 'read'), true);
    assert.equal(ended(journal.begin(), ['nobody else'], 'read'), false);
  });
});
