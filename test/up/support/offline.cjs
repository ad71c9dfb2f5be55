// Loaded before a program (`node --require`): no name resolves, like on a machine without a network.
const dns = require('node:dns');
const { isIP } = require('node:net');

const { lookup } = dns;
dns.lookup = (name, ...rest) => {
  if (isIP(name)) return lookup(name, ...rest);
  rest.at(-1)(Object.assign(new Error(`no network for ${name}`), { code: 'ENOTFOUND' }));
};
