// The entry of the bundle: every `x.workflow.ts` of this folder. The bundler (webpack) fills in which there are.
const files = require.context('.', false, /\.workflow\.ts$/);
module.exports = Object.assign({}, ...files.keys().map(files));
