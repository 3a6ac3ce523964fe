import {watchEffect} from 'vue';

/** Names the page in the browser's tab. */
export function useTitle(title: () => string): void {
  watchEffect(() => (document.title = `${title()} · Inventory`));
}
