import { describe, expect, it } from 'vitest';

import { compileExpression, evaluateCondition, EXPRESSION_LIMITS, toScope, withValue } from '#model/expression.ts';
import { addressText, parseAddress } from '#model/network-address.ts';

/** Each expression with what Kubernetes answers. */
const ANSWERS: readonly (readonly [library: string, expression: string, answer: boolean])[] = [
  ['quantity', "quantity('1') == quantity('1000m')", true],
  ['quantity', "quantity('1Gi').isGreaterThan(quantity('500Mi'))", true],
  ['quantity', "quantity('1Gi').isLessThan(quantity('500Mi'))", false],
  ['quantity', "quantity('50k').add(quantity('20k')) == quantity('70k')", true],
  ['quantity', "quantity('50k').sub(20000) == quantity('30k')", true],
  ['quantity', "quantity('1500m').isInteger()", false],
  ['quantity', "quantity('50k').asInteger() == 50000", true],
  ['quantity', "quantity('1.5').asApproximateFloat() == 1.5", true],
  ['quantity', "sign(quantity('-3')) == -1 && quantity('0').sign() == 0", true],
  ['quantity', "quantity('-3').sign() == -1 && quantity('2').compareTo(quantity('2')) == 0", true],
  ['quantity', "isQuantity('1.3Gi') && isQuantity('10000k')", true],
  ['quantity', "isQuantity('1,3Gi') || isQuantity('200K') || isQuantity('')", false],
  ['url', "url('https://user:pw@example.com:80/path?query=val#f').getHost() == 'example.com:80'", true],
  ['url', "url('https://[::1]:80/').getHost() == '[::1]:80' && url('https://[::1]:80/').getHostname() == '::1'", true],
  ['url', "url('https://example.com:443/').getPort() == '443' && url('https://example.com/').getPort() == ''", true],
  ['url', "url('/a/path').getScheme() == '' && url('/a/path').getEscapedPath() == '/a/path'", true],
  ['url', "url('https://example.com/with space/').getEscapedPath() == '/with%20space/'", true],
  ['url', "url('https://example.com/?a=1&b=2&b=x%20y').getQuery() == {'a': ['1'], 'b': ['2', 'x y']}", true],
  ['url', "isURL('https://a:b:c/') || isURL('../relative') || isURL('') || isURL('https://a/%zz')", false],
  ['ip', "ip('127.0.0.1').family() == 4 && ip('::1').family() == 6", true],
  ['ip', "ip('::1').isLoopback() && ip('127.8.0.1').isLoopback() && !ip('128.0.0.1').isLoopback()", true],
  ['ip', "ip('192.168.0.1').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast()", true],
  ['ip', "ip('0.0.0.0').isUnspecified() && ip('::').isUnspecified() && !ip('::1').isUnspecified()", true],
  ['ip', "ip('ff02::1').isLinkLocalMulticast() && !ip('ff05::1').isLinkLocalMulticast()", true],
  ['ip', "ip('fe80::1').isLinkLocalUnicast() && ip('169.254.1.1').isLinkLocalUnicast()", true],
  ['ip', "ip.isCanonical('2001:db8::abcd')", true],
  ['ip', "ip.isCanonical('2001:DB8::ABCD')", false],
  ['ip', "ip('2001:db8::abcd') == ip('2001:DB8:0::ABCD')", true],
  ['ip', "string(ip('2001:0db8::1')) == '2001:db8::1'", true],
  ['ip', "isIP('::ffff:1.2.3.4') || isIP('fe80::1%en0') || isIP('127.0.0.01') || isIP('1.2.3')", false],
  ['cidr', "cidr('192.168.0.0/24').containsIP('192.168.0.1') && !cidr('192.168.0.0/24').containsIP(ip('192.168.1.1'))", true],
  ['cidr', "cidr('192.168.0.0/16').containsCIDR(cidr('192.168.10.0/24'))", true],
  ['cidr', "cidr('192.168.0.0/24').containsCIDR('192.168.0.0/16')", false],
  ['cidr', "cidr('192.168.0.1/24').ip() == ip('192.168.0.1') && cidr('192.168.0.1/24').masked() == cidr('192.168.0.0/24')", true],
  ['cidr', "cidr('::1/128').prefixLength() == 128 && string(cidr('10.0.0.0/8')) == '10.0.0.0/8'", true],
  ['cidr', "isCIDR('10.0.0.0/33') || isCIDR('10.0.0.0/08') || isCIDR('10.0.0.0')", false],
  ['semver', "semver('1.2.3').isLessThan(semver('1.2.4')) && semver('1.10.0').isGreaterThan(semver('1.9.0'))", true],
  ['semver', "semver('1.2.3-rc.1').compareTo(semver('1.2.3')) == -1", true],
  ['semver', "isSemver('v1.0.0') || isSemver('1.0') || isSemver('01.0.0')", false],
  ['semver', "isSemver('v1.0', true) && semver('v01.01', true).compareTo(semver('1.1.0')) == 0", true],
  ['semver', "semver('1.2.3').major() == 1 && semver('1.2.3').minor() == 2 && semver('1.2.3').patch() == 3", true],
  ['regex', "'abc 123'.find('[0-9]+') == '123' && 'abc'.find('[0-9]+') == ''", true],
  ['regex', "'1a2b3'.findAll('[0-9]') == ['1', '2', '3'] && '1a2b3'.findAll('[0-9]', 2) == ['1', '2']", true],
  ['lists', '[1, 2, 2].isSorted() && !["b", "a"].isSorted() && [].isSorted()', true],
  ['lists', '[1, 2].sum() == 3 && [1.5, 2.0].sum() == 3.5 && [].sum() == 0', true],
  ['lists', '[3, 1].min() == 1 && ["a", "c"].max() == "c"', true],
  ['lists', '[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [1].indexOf(5) == -1', true],
  ['lists', '[{"a": [1]}].indexOf({"a": [1.0]}) == 0', true],
  ['sets', 'sets.contains([1, 2], [2]) && sets.equivalent([1, 1, 2], [2, 1]) && !sets.intersects([1], [2])', true],
];

function checkExpression(text: string, inputs: ReadonlyMap<string, string>) {
  const compiled = compileExpression(text, undefined);
  return compiled.ok ? compiled.value.typeWith(inputs) : compiled;
}

describe('the Kubernetes libraries', () => {
  it.each(ANSWERS)('%s: %s', (_, expression, answer) => {
    expect(evaluateCondition(expression, {})).toEqual({ ok: true, value: answer });
    expect(checkExpression(expression, new Map())).toEqual({ ok: true, value: 'bool' });
  });

  it.each([
    ["quantity('x') == quantity('1')", '"x" is no quantity'],
    ["quantity('1500m').asInteger() == 1", '1500m is no whole number'],
    ["ip('1.2.3') == ip('1.2.3.4')", '"1.2.3" is no IP address'],
    ['[].min() == 1', 'an empty list has none'],
    ["['a', 'b'].sum() == 1", 'only numbers of one type have a sum'],
    ["[1, 'a'].isSorted()", 'these cannot be put in an order'],
    ["semver('1.2').major() == 1", '"1.2" is no semantic version'],
  ])('%s is an error', (expression, message) => {
    expect(evaluateCondition(expression, {})).toEqual({ ok: false, message });
  });

  it('do not take a map that only looks like one of their values', () => {
    expect(evaluateCondition("given.isLessThan(quantity('2'))", { given: { Quantity: '1000000000' } })).toEqual({
      ok: false,
      message: 'isLessThan cannot be applied to this',
    });
  });

  it('write IPv6 addresses as RFC 5952 does', () => {
    const written = ['2001:db8:0:0:1:0:0:1', '0:0:0:0:0:0:0:0', '1:0:0:2:0:0:0:3', '1::2:0:3:4:5:6', '::1.2.3.4'].map((text) => {
      const address = parseAddress(text);
      return address === undefined ? 'none' : addressText(address);
    });

    expect(written).toEqual(['2001:db8::1:0:0:1', '::', '1:0:0:2::3', '1:0:2:0:3:4:5:6', '::102:304']);
  });
});

describe('the type check', () => {
  const inputs = new Map([
    ['object', 'dyn'],
    ['now', 'google.protobuf.Timestamp'],
    ['variables', 'map'],
    ['variables.count', 'int'],
  ]);

  it.each([
    ["1 + 'a'", '+ cannot be used with (int, text)'],
    ["'a' == 1", 'a text is never equal to a int'],
    ['size(1) > 0', 'size cannot be used with (int)'],
    ['object.spec.matches(1)', 'matches cannot be used on a dyn with (int)'],
    ["'a' && true", '&& wants something true or false, and a text is neither'],
    ["quantity('1').value == 1", 'a Quantity has no member value'],
    ["quantity('1').isLesThan(quantity('2'))", 'there is no function isLesThan; did you mean "isLessThan"?'],
    ["'abc'.all(x, x == 'a')", 'a text has nothing to go through'],
    ["variables.count == 'a'", 'a int is never equal to a text'],
    ['variables.cuont == 1', 'variables has no cuont (known: count); did you mean "count"?'],
    ["now < '2026'", '< cannot be used with (timestamp, text)'],
    ['[1].all(at, item, item > 0)', 'there is no function all'],
    ['isLessThan(1)', 'there is no function isLessThan'],
  ])('%s', (expression, message) => {
    expect(checkExpression(expression, inputs)).toEqual({ ok: false, message });
  });

  it.each([
    ['object.spec.replicas <= 20', 'bool'],
    ["has(object.a) ? object.a : 'b'", 'dyn'],
    ["has(object.a) ? 'a' : 'b'", 'string'],
    ['object.spec.containers.map(c, c.name)', 'list'],
    ['object.list.exists_one(x, x == variables.count)', 'bool'],
    ["now - duration('24h') < timestamp('2026-01-01T00:00:00Z')", 'bool'],
    ['object == null || object.x == 1.0', 'bool'],
    ["ip('::1').family()", 'int'],
  ])('%s has type %s', (expression, type) => {
    expect(checkExpression(expression, inputs)).toEqual({ ok: true, value: type });
  });
});

describe('the cost limit', () => {
  const list = Array.from({ length: 100 }, (_, at) => at);
  const message = `the expression costs more than it may (${EXPRESSION_LIMITS.cost})`;

  it.each([
    ['loops in loops', 'l.all(a, l.all(b, l.all(c, l.all(d, a + b + c + d >= 0))))'],
    ['a limit that an or would hide', 'l.all(a, l.all(b, l.all(c, l.all(d, a < 0 || true)))) || true'],
    ['long patterns on long texts', `l.all(a, l.all(b, '${'a'.repeat(2000)}'.matches('(a*)*b') || true))`],
    ['comparing large values again and again', 'l.all(a, l.all(b, l == l))'],
    [
      'texts that double',
      `${'"x"'.padEnd(3)}.replace('x', '${'x'.repeat(60)}')${".replace('x', '".concat('x'.repeat(60), "')").repeat(4)}.size() > 0`,
    ],
  ])('stops %s', (_, expression) => {
    expect(evaluateCondition(expression, { l: list })).toEqual({ ok: false, message });
  });

  it('lets through what an ordinary policy does with a large object', () => {
    const containers = list.map((at) => ({ name: `c${at}`, env: list.map((one) => ({ name: `E${one}`, value: 'x' })) }));

    expect(evaluateCondition("l.all(c, c.env.all(e, e.name.startsWith('E')))", { l: containers })).toEqual({ ok: true, value: true });
  });

  it('is shared by the expressions of a scope, and values stay what they are between them', () => {
    const half = compileExpression("now + duration('1h')", ['now']);
    const time = compileExpression('timestamp(text)', ['text']);
    const scope = toScope({ text: '2026-01-01T00:00:00Z', l: list }, 1000);
    const now = time.ok ? time.value.evaluateIn(scope) : time;
    if (!now.ok || !half.ok) throw new Error('the expressions of this test do not hold');
    const dear = compileExpression('l.all(a, l.all(b, a + b >= 0))', ['l']);
    const later = half.value.evaluateIn(withValue(scope, 'now', now.value));

    expect(later.ok && compileExpression('string(later)', ['later'])).toMatchObject({ ok: true });
    expect(dear.ok && dear.value.evaluateIn(scope)).toEqual({ ok: false, message });
    expect(half.value.evaluateIn(withValue(scope, 'now', now.value))).toEqual({ ok: false, message });
  });
});

describe('what does not parse', () => {
  it.each([
    ['object.metadata.name !=', 'the expression cannot be read from "!=" on'],
    ['a and b', 'the expression cannot be read from "and b" on; CEL writes &&'],
    ['a = 1', 'the expression cannot be read from "= 1" on; CEL writes =='],
    ["true &&\n  'abc", 'the expression cannot be read from "&&\\u000a  \'abc" on'],
    ['(a', 'the expression ends where more is needed'],
    [' ', 'the expression is empty'],
  ])('is told in words of people: %s', (text, message) => {
    expect(compileExpression(text, undefined)).toEqual({ ok: false, message });
  });
});
