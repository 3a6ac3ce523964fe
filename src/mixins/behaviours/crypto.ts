import {behaviourDefaults, type Behaviour} from '../behaviour';

/**
 * Encryption adds nothing to a plan: rows are encrypted before a write is planned and decrypted
 * after a read, so that plans, statements and history never hold a plaintext.
 */
export const cryptoBehaviour: Behaviour = behaviourDefaults('crypto');
