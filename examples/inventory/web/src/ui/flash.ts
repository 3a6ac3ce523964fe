import type {Directive} from 'vue';

/**
 * `v-flash="value"` lights an element up for a moment whenever the value changes under the
 * person's eyes; `v-flash:row="value"` does so more faintly, for a whole row.
 */
export const vFlash: Directive<HTMLElement, unknown> = {
  updated(element, {value, oldValue, arg}) {
    if (value === oldValue) return;
    const name = arg === 'row' ? 'flash-row' : 'flash';
    element.classList.remove(name);
    void element.offsetWidth; // starts the animation over
    element.classList.add(name);
    element.addEventListener('animationend', () => element.classList.remove(name), {once: true});
  },
};
