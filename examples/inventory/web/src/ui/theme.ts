import {readonly, ref, watchEffect} from 'vue';

export type Theme = 'system' | 'light' | 'dark';

const themes: readonly Theme[] = ['system', 'light', 'dark'];
const stored = localStorage.getItem('theme') as Theme;
const chosen = ref<Theme>(themes.includes(stored) ? stored : 'system');

watchEffect(() => {
  if (chosen.value === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen.value;
  localStorage.setItem('theme', chosen.value);
});

/** The scheme that the person chose; 'system' follows the device. */
export const theme = readonly(chosen);

export function nextTheme(): void {
  chosen.value = themes[(themes.indexOf(chosen.value) + 1) % themes.length];
}
