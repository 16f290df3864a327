// What JSX becomes. The build has it at hand in every module: calls that say no more than this pack best.

export { Fragment, h } from "preact";
