// What is fetched after the first messages are shown, as one file: many small ones would share little of their packing.

export { Compose } from "./compose.tsx";
export { Menu } from "./menu.tsx";
export { News } from "./news.tsx";
export { Warnings } from "./warnings.tsx";
export { You } from "./you.tsx";
