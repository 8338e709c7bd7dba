import { expect } from 'chai';
import { redact, Secret } from '../lib/secret.mts';

describe('redaction', () => {
  it('leaves nothing of a secret that begins with another one', () => {
    new Secret('qwJx7h', 'env:SHORT');
    new Secret('qwJx7hQmPz0d', 'env:LONG');
    expect(redact('a qwJx7hQmPz0d b qwJx7h')).to.equal('a [secret] b [secret]');
  });

  it('knows the lines of a secret of several lines, as a diff or a log shows them', () => {
    new Secret('-----BEGIN THING-----\nMIIEvQIBADANBgkq\r\nhkiG9w0BAQEF\n', 'file:key');
    expect(redact('+ MIIEvQIBADANBgkq\n+ hkiG9w0BAQEF')).to.equal('+ [secret]\n+ [secret]');
  });
});
