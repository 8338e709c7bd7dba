/** Addresses that services bind, and which of them the internet cannot reach. */
import { BlockList, isIP } from 'node:net';
import type { Host } from './model.mts';

const inside = new BlockList();
for (const [net, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['127.0.0.0', 8],
] as const)
  inside.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of [
  ['fc00::', 7],
  ['fe80::', 10],
  ['::1', 128],
] as const)
  inside.addSubnet(net, bits, 'ipv6');

/** An address of a private, link-local, carrier-grade or loopback range: one that the internet cannot reach. */
export function isInside(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && inside.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** `ss` shows an IPv4 address of a Java process as `::ffff:10.0.0.5`, sometimes in brackets. */
export const plainAddress = (address: string): string =>
  address
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/^::ffff:(?=\d+\.)/, '')
    .replace(/%.*$/, '');

/** What services of a host bind and publish: its private address; its name stands in where the inventory gives none, and then roles refuse. */
export const addressOf = (host: Host): string => host.privateAddress ?? host.name;

/** As it is written before a port: an IPv6 address in brackets. */
export const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address);
