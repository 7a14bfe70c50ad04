// Conversions, exported as the functions of wit/world.wit.
//
// The result of a function that fails is what it throws; a result's ok case is what it returns.

// Each unit as [what it measures, how many base units it is, what zero on its scale is in base units].
const UNITS = new Map([
  ["mm", ["length", 0.001, 0]],
  ["cm", ["length", 0.01, 0]],
  ["m", ["length", 1, 0]],
  ["km", ["length", 1000, 0]],
  ["in", ["length", 0.0254, 0]],
  ["ft", ["length", 0.3048, 0]],
  ["yd", ["length", 0.9144, 0]],
  ["mi", ["length", 1609.344, 0]],
  ["g", ["mass", 0.001, 0]],
  ["kg", ["mass", 1, 0]],
  ["t", ["mass", 1000, 0]],
  ["oz", ["mass", 0.028349523125, 0]],
  ["lb", ["mass", 0.45359237, 0]],
  ["s", ["time", 1, 0]],
  ["min", ["time", 60, 0]],
  ["h", ["time", 3600, 0]],
  ["d", ["time", 86400, 0]],
  ["K", ["temperature", 1, 0]],
  ["C", ["temperature", 1, 273.15]],
  ["F", ["temperature", 5 / 9, 273.15 - (32 * 5) / 9]],
  ["B", ["data", 1, 0]],
  ["kB", ["data", 1e3, 0]],
  ["MB", ["data", 1e6, 0]],
  ["GB", ["data", 1e9, 0]],
  ["KiB", ["data", 2 ** 10, 0]],
  ["MiB", ["data", 2 ** 20, 0]],
  ["GiB", ["data", 2 ** 30, 0]],
]);

const SIGNIFICANT_DIGITS = 12;

export function convertUnit(quantity, to) {
  const [kind, size, zero] = findUnit(quantity.unit);
  const [targetKind, targetSize, targetZero] = findUnit(to);
  if (kind !== targetKind) {
    throw { tag: "different-kinds", val: [kind, targetKind] };
  }
  const value = (quantity.value * size + zero - targetZero) / targetSize;
  // Binary fractions leave noise such as 99.99999999999997 in the last digits.
  return { value: Number(value.toPrecision(SIGNIFICANT_DIGITS)), unit: to };
}

function findUnit(symbol) {
  const unit = UNITS.get(symbol);
  if (unit === undefined) {
    throw { tag: "unknown-unit", val: symbol };
  }
  return unit;
}

export function queryJson(document, pointer) {
  if (pointer !== "" && !pointer.startsWith("/")) {
    throw "a JSON Pointer is empty or begins with /";
  }
  let value = parseJson(document);
  for (const token of pointer.split("/").slice(1)) {
    const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
    if (value === null || typeof value !== "object" || !hasMember(value, key)) {
      throw `there is no ${JSON.stringify(key)} on the way of ${pointer}`;
    }
    value = value[key];
  }
  return JSON.stringify(value);
}

function hasMember(value, key) {
  return Array.isArray(value) ? /^(0|[1-9]\d*)$/.test(key) && Number(key) < value.length : Object.hasOwn(value, key);
}

export function formatJson(document, style) {
  const value = parseJson(document);
  return JSON.stringify(style.sortKeys ? sortKeys(value) : value, null, style.indent ? 2 : 0);
}

function sortKeys(value) {
  if (Array.isArray(value)) {
    return value.map(sortKeys);
  }
  if (value === null || typeof value !== "object") {
    return value;
  }
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sortKeys(value[key])]));
}

function parseJson(document) {
  try {
    return JSON.parse(document);
  } catch (error) {
    throw `the document is not JSON: ${error.message}`;
  }
}

export function parseUrl(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    throw "this is not an absolute URL";
  }
  return {
    scheme: url.protocol.slice(0, -1),
    host: url.hostname,
    port: url.port === "" ? undefined : Number(url.port),
    path: decode(url.pathname),
    query: [...url.searchParams],
    fragment: url.hash === "" ? undefined : decode(url.hash.slice(1)),
  };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw `${text} is not well percent-encoded`;
  }
}
