/** Half a circle: the lint tests offer a text of this file that imports `second`. */
export const first = 1;
