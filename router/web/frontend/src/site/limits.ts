/* How long, how often, how much. They are kept apart so that the bundler writes them where they are used. */

// of reading the page
export const SLICE_MILLISECONDS = 5; // at a stretch, so that nobody notices
export const TURNS = 20; // of the page and ours, one upon the other's writing, without a moment's rest
export const SHORTEST_REST = 50; // milliseconds
export const LONGEST_REST = 5000;
export const CALM = 4; // rests without another one: the page has stopped writing against us
export const ELEMENTS_AND_TEXTS = 5; // NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT
export const LARGEST = 100; // elements in one that is named by selector: with more it is no place for a number
export const MOST_RULES = 1000; // numbers looked for
export const MOST_NEIGHBOURS = 20; // of a changed text, on each side

// of frameworks that take over what their server drew, milliseconds
export const HYDRATION_LOOK = 250;
export const LONGEST_HYDRATION = 5000;
export const LONGEST_LOADING = 15000; // of a page whose scripts are still on their way

// of the visit
export const LOOKED_AT_MILLISECONDS = 5000;
export const LATE_MILLISECONDS = 1500; // a later answer finds the visitor perhaps about to tap
export const GIVE_UP_MILLISECONDS = 25000; // later the server has given the number to another visitor
export const TOUCHED_MILLISECONDS = 1000; // after a touch the finger may be on its way to the number
export const LONGEST_POINTING = 10000;
export const FIRST_ALIVE_MILLISECONDS = 2000; // after a number was shown for the first time
export const LOOKS_FOR_IDS = [500, 1000, 2000, 4000, 8000]; // milliseconds after the arrival
export const BETWEEN_ROUTES = 2000; // milliseconds
export const VISIT_PAUSE = 1800000; // milliseconds; after it a visit is another one
export const LONGEST_ADDRESS = 2000;
export const LONGEST_PAGE = 1000; // of an address, without its labels
export const MOST_PARAMETERS = 20;
export const LONGEST_PARAMETER = 500;
export const MOST_FORMER = 50; // numbers shown before that are looked for
export const SLOWEST = 16; // times more rarely a server that does not answer is asked, at the most
export const ALIVE_SECONDS = 60; // between signs of life
export const SHORTEST_ALIVE = 2;
export const LONGEST_ALIVE = 600;
export const HOLD_SECONDS = 1800; // how long the server keeps a number for a page that is silent
