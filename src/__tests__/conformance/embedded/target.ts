import type {Library} from '../../support/library';

/** Where embedded children are tried. */
export interface EmbeddedTarget {
  readonly library: () => Library;
  readonly transactions: boolean;
  /** How many writers of one row are let loose at a time. */
  readonly crowd: number;
}
