import { BASE_STYLE } from './style-base.js';
import { LIST_STYLE } from './style-list.js';
import { PANEL_STYLE } from './style-panels.js';

/** The one stylesheet of the page. */
export const STYLESHEET = BASE_STYLE + LIST_STYLE + PANEL_STYLE;
