/* How long, how often, how much. They stand apart so that the bundler writes them where they are used. */

// of reading the page
export const SLICE_MILLISECONDS = 5; // at a stretch, so that nobody notices
export const TURNS = 20; // of the page and ours, one upon the other's writing, without a moment's rest
export const SHORTEST_REST = 50; // milliseconds
export const LONGEST_REST = 5000;
export const CALM = 4; // rests without another one: the page has stopped writing against us
export const ELEMENTS_AND_TEXTS = 5; // NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT
export const LARGEST = 100; // elements in one that is named by selector: with more it is no place for a number
export const MOST_RULES = 1000; // numbers looked for

// of the visit
export const LOOKED_AT_MILLISECONDS = 5000;
export const GIVE_UP_MILLISECONDS = 1500; // an answer later than that is none
export const LONGEST_ADDRESS = 2000;
export const SLOWEST = 16; // times more rarely a server that does not answer is asked, at the most
export const ALIVE_SECONDS = 60; // between signs of life
export const SHORTEST_ALIVE = 2;
export const LONGEST_ALIVE = 600;
export const HOLD_SECONDS = 1800; // how long the server keeps a number for a page that is silent
