import {readonly, ref} from 'vue';

export interface Toast {
  readonly id: number;
  readonly kind: 'done' | 'problem';
  readonly text: string;
  readonly action?: {readonly label: string; run(): unknown};
}

const shown = ref<Toast[]>([]);
let lastId = 0;

export const toasts = readonly(shown);

/** Says something in passing: problems stay a little longer, those with an action longer still. */
export function toast(kind: Toast['kind'], text: string, action?: Toast['action']): void {
  const id = ++lastId;
  // The same sentence twice at once would only take room.
  const others = shown.value.filter(other => other.text !== text).slice(-2);
  shown.value = [...others, {id, kind, text, action}];
  setTimeout(() => dismiss(id), action ? 10_000 : kind === 'problem' ? 8000 : 4000);
}

export function dismiss(id: number): void {
  shown.value = shown.value.filter(other => other.id !== id);
}
