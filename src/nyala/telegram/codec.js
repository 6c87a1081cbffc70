// The telegrams of a nyala meter for ChirpStack v4 and The Things Stack v3: decodeUplink, encodeDownlink, decodeDownlink.
// Made by `nyala telegram codec` from the tables of the meter: do not edit.  Specification: docs/telegram.md.
// variables.period_s (length of an interval in seconds), or PERIOD_S where it is not given, places frames: first, start_s.
// A number beyond 2^53 is a string of decimal digits.  Plain ECMAScript 5.

/* TABLES */

var WORD = 4294967296;

function refuse(why) {
  throw new Error(why);
}

function copy(into, from) {
  for (var key in from) into[key] = from[key];
  return into;
}

// `count` numbers of 1 and more: digits, those that are not the last of their number raised by BASE; a character above both
// repeats the last number 1, 2 .. times more; what is not there is the last number.
function unpack(text, count) {
  var out = [], number = 0, i, digit;
  for (i = 0; i < text.length; i++) {
    digit = text.charCodeAt(i);
    digit = (digit === 33 ? 92 : digit) - 35;
    if (digit >= 2 * BASE) {
      for (digit -= 2 * BASE; digit >= 0; digit--) out.push(out[out.length - 1]);
      continue;
    }
    number = number * BASE + (digit % BASE);
    if (digit >= BASE) continue;
    out.push(number);
    number = 0;
  }
  while (out.length < count) out.push(out[out.length - 1]);
  return out;
}

// Name, flags (1 signed, 2 rated, 4 each decimal place) and, where it is not the next, code of each quantity.
var SIGNED = {}, SCALE = {};
CATALOGUE.split(" ").reduce(function (code, row) {
  var parts = row.split(","), flags = +parts[1], rates = flags & 2 ? RATES : 0, rate, name;
  code = parts[2] ? +parts[2] : code;
  for (rate = 0; rate <= rates; rate++) {
    name = parts[0] + (rate ? "_t" + rate : "");
    CODES[1][code + rate] = name;
    SIGNED[name] = flags & 1;
    SCALE[name] = Math.pow(10, flags >> 2);
  }
  return code + rates + 1;
}, 0);

// -- bits, most significant first; a wide number is [number of 2^32, rest]

function reader(bytes) {
  return { bytes: bytes, at: 0, left: 8 * bytes.length };
}

function take(bits, width) {
  var value = 0;
  if (width > bits.left) refuse("telegram is cut short");
  bits.left -= width;
  for (; width > 0; width--, bits.at++) value = value * 2 + ((bits.bytes[bits.at >> 3] >> (7 - (bits.at & 7))) & 1);
  return value;
}

function takeWide(bits, width) {
  var high = take(bits, Math.max(0, width - 32));
  return [high, take(bits, Math.min(width, 32))];
}

function expectPadding(bits) {
  if (bits.left >= 8 || take(bits, bits.left)) refuse("bits behind the end of the telegram");
}

function put(out, value, width) {
  if (typeof value !== "number" || !(value >= 0 && value < Math.pow(2, width)) || value % 1)
    refuse(value + " does not fit " + width + " bits");
  for (var bit = width - 1; bit >= 0; bit--) out.push(Math.floor(value / Math.pow(2, bit)) % 2);
}

function octets(bits) {
  var out = [], i;
  for (i = 0; i < bits.length; i++) out[i >> 3] = (out[i >> 3] || 0) | (bits[i] << (7 - (i & 7)));
  return out;
}

function hex(bytes) {
  var out = "", i;
  for (i = 0; i < bytes.length; i++) out += (bytes[i] < 16 ? "0" : "") + bytes[i].toString(16);
  return out;
}

function unhex(text) {
  if (!/^([0-9a-fA-F]{2})*$/.test(text)) refuse(text + " is not hexadecimal");
  return (text.match(/../g) || []).map(function (each) {
    return parseInt(each, 16);
  });
}

// A wide number as a number, or as decimal digits where a number would not be exact.
function shown(wide) {
  var high = wide[0], low = wide[1], value = high * WORD + low, text = "", rest, part;
  if (Math.abs(value) <= 9007199254740991) return value;
  if (value < 0) {
    high = low ? -high - 1 : -high;
    low = low ? WORD - low : 0;
  }
  while (high || low) {
    rest = (high % 1e6) * WORD + low;
    high = Math.floor(high / 1e6);
    low = Math.floor(rest / 1e6);
    part = String(rest % 1e6);
    text = (high || low ? ("00000" + part).slice(-6) : part) + text;
  }
  return (value < 0 ? "-" : "") + text;
}

// The number nearest to `about` whose low bits are `low`.
function nearest(low, bits, about) {
  var all = Math.pow(2, bits), step = (low - about + all / 2) % all;
  return about + (step < 0 ? step + all : step) - all / 2;
}

// -- layouts: [fields, name of what is repeated, its fields, most times]; a field is [name, bits, plus, number of its codes]

function takeFields(bits, fields) {
  var said = {};
  fields.forEach(function (field) {
    var number = take(bits, field[1]), codes = CODES[field[3]];
    if (codes && !(number in codes)) refuse(field[0] + " " + number + " is unknown");
    said[field[0]] = codes ? codes[number] : number + field[2];
  });
  return said;
}

function takeLayout(bits, layout) {
  var said = takeFields(bits, layout[0]), rows = [], row;
  if (layout[1]) {
    while (bits.left && rows.length <= layout[3]) {
      row = takeFields(bits, layout[2]);
      rows.push(layout[2].length > 1 ? row : row[layout[2][0][0]]);
    }
    if (!rows.length || rows.length > layout[3]) refuse("too few or too many " + layout[1]);
    said[layout[1]] = layout[1] === "data" ? hex(rows) : rows;
  }
  return said;
}

function putFields(out, fields, said) {
  fields.forEach(function (field) {
    var value = said[field[0]], codes = CODES[field[3]], code;
    if (codes) {
      for (code in codes) if (codes[code] === value) return put(out, +code, field[1]);
      refuse(field[0] + " " + value + " is unknown");
    }
    put(out, typeof value === "number" ? value - field[2] : value, field[1]);
  });
}

function putLayout(out, layout, said) {
  putFields(out, layout[0], said);
  if (!layout[1]) return;
  var rows = said[layout[1]];
  if (layout[1] === "data") rows = unhex(rows);
  if (!rows.length || rows.length > layout[3]) refuse("too few or too many " + layout[1]);
  rows.forEach(function (row) {
    var only = {};
    only[layout[2][0][0]] = row;
    putFields(out, layout[2], layout[2].length > 1 ? row : only);
  });
}

// -- the telegrams of meters whose widths depend on what came before

function intervals(port, bits, now) {
  var full = port === PORTS.INTERVALS_FULL, said = takeFields(bits, full ? HEAD_FULL : HEAD), found = 0;
  var data = { first: said.first, period_s: said.period_s, outages: [], channels: {} }, block, i;
  if (said.status) for (i = 0; i < said.count; i++) if (take(bits, 1)) data.outages.push(i);
  while (bits.left >= BLOCK_BITS) {
    block = takeFields(bits, BLOCK);
    if (data.channels[block.channel]) refuse(block.channel + " twice");
    data.channels[block.channel] = { anchor: block.anchor ? take(bits, ANCHOR_BITS) : null, values: [] };
    for (i = 0; i < said.count; i++) data.channels[block.channel].values.push(take(bits, block.width));
    found++;
  }
  expectPadding(bits);
  if (!found) refuse("intervals of no channel");
  if (!full) data.first = nearest(said.first, HEAD[0][1], Math.floor(now / said.period_s));
  return data;
}

function values(port, bits, now) {
  var form = FORMS[take(bits, FORM_BITS)], data = { at_s: 0, values: {}, physical: {} }, found = 0, item, width, wide, top;
  if (!form) refuse("an unknown form of the instant");
  data.at_s = take(bits, form[0]);
  if (form[0] === SHORT_BITS) data.at_s = form[1] * nearest(data.at_s, form[0], Math.floor(now / form[1]));
  while (bits.left >= ITEM_MIN_BITS) {
    item = takeFields(bits, ITEM);
    if (item.quantity in data.values) refuse(item.quantity + " twice");
    width = 4 * item.nibbles;
    wide = takeWide(bits, width);
    top = width > 32 ? Math.pow(2, width - 33) : Math.pow(2, width - 1);
    if (SIGNED[item.quantity] && wide[width > 32 ? 0 : 1] >= top)
      wide = width > 32 ? [wide[0] - 2 * top, wide[1]] : [-1, wide[1] - 2 * top + WORD];
    data.values[item.quantity] = shown(wide);
    data.physical[item.quantity] = +data.values[item.quantity] / SCALE[item.quantity];
    found++;
  }
  expectPadding(bits);
  if (!found) refuse("values of no quantity");
  return data;
}

function raw(bytes, count) {
  var bits = reader(bytes), mask = take(bits, MASK_BITS), width = take(bits, WIDTH_BITS), rows = {}, found = 0;
  CHANNELS.forEach(function (name, channel) {
    if (!((mask >> channel) & 1)) return;
    rows[name] = [];
    for (var i = 0; i < count; i++) rows[name].push(takeWide(bits, width));
    found++;
  });
  expectPadding(bits);
  if (!found) refuse("raw intervals of no channel");
  return rows;
}

function frame(port, bits, now, variables) {
  var full = port === PORTS.FRAME_FULL, said = takeFields(bits, full ? FRAME_FULL : FRAME), rest, own, rows;
  var data = copy({ count: COUNTS[said.count], full: full, coded: said.model > 0, register: null, parity: null, rows: {} }, {
    epoch: said.epoch, number: said.number, pending: said.pending > 0, doubtful: said.doubtful > 0
  });
  if (port === PORTS.FRAME_SUM) data.register = take(bits, 8 * SUM_BYTES);
  rest = [].slice.call(bits.bytes, bits.at / 8);
  own = said.parity ? said.own : rest.length;
  if (rest.length < own || own % OWN_LIMIT !== said.own) refuse("a body of another length than the header says");
  if (said.parity) data.parity = hex(rest.slice(own));
  rest = rest.slice(0, own);
  rows = data.coded ? coded(said.epoch, said.model, rest, data.count) : raw(rest, data.count);
  for (var name in rows) data.rows[name] = rows[name].map(shown);
  return placed(data, +((variables || {}).period_s || PERIOD_S), now);
}

function placed(data, period, now) {
  if (!(period > 0)) return data;
  var about = Math.floor(now / (period * data.count)) - 1;
  var number = data.full ? data.number : nearest(data.number, NUMBER_BITS, about);
  if (number < 0) refuse("a block before 1970");
  return copy(data, { first: number * data.count, period_s: period, start_s: number * data.count * period });
}

// -- bodies by the tables of a load model

function narrow(coder) {
  for (; coder.width < 16777216; coder.width *= 256) {
    coder.code = coder.code * 256 + (coder.at < coder.bytes.length ? coder.bytes[coder.at] : 0);
    coder.at++;
  }
}

function decoder(bytes) {
  var coder = { bytes: bytes, at: 4, code: 0, width: WORD - 1 }, i;
  for (i = 0; i < coder.at; i++) coder.code = coder.code * 256 + (bytes[i] || 0);
  coder.code = Math.min(coder.code, coder.width - 1);
  return coder;
}

// The next symbol of a table of frequencies.
function symbol(coder, table) {
  var unit = Math.floor(coder.width / 65536), place = Math.floor(coder.code / unit), first = 0, at = 0;
  while (at < table.length - 1 && first + table[at] <= place) first += table[at++];
  coder.code -= unit * first;
  coder.width = at === table.length - 1 ? coder.width - unit * first : unit * table[at];
  narrow(coder);
  return at;
}

function uniform(coder, bits) {
  var high = 0, low = 0, part, scale, unit, digit;
  for (; bits > 0; bits -= part) {
    part = Math.min(bits, 16);
    scale = Math.pow(2, part);
    unit = Math.floor(coder.width / scale);
    digit = Math.min(Math.floor(coder.code / unit), scale - 1);
    coder.code = Math.min(coder.code - unit * digit, unit - 1);
    coder.width = unit;
    narrow(coder);
    low = low * scale + digit;
    high = high * scale + Math.floor(low / WORD);
    low %= WORD;
  }
  return [high, low];
}

function add(a, b) {
  var low = a[1] + b[1];
  return low < WORD ? [a[0] + b[0], low] : [a[0] + b[0] + 1, low - WORD];
}

function capped(wide) {
  return wide[0] ? CAP : Math.min(wide[1], CAP);
}

function classOf(value) {
  var low = 0, high = CLASS_START.length, middle;
  while (high - low > 1) {
    middle = (low + high) >> 1;
    if (CLASS_START[middle] <= value) low = middle;
    else high = middle;
  }
  return low;
}

// The number behind a token.
function number(coder, token) {
  var bits, top;
  if (token < ESCAPE) return add([0, TOKEN_START[token]], uniform(coder, RAW_BITS[token]));
  bits = uniform(coder, VALUE_WIDTH_BITS)[1];
  if (bits <= VALUE_BITS) refuse("an escaped interval of " + bits + " bits");
  top = Math.pow(2, bits - 1);
  return add([Math.floor(top / WORD), top % WORD], uniform(coder, bits - 1));
}

function expectRegisters(row) {
  row.forEach(function (value) {
    if (value[0] < 0 || value[0] >= WORD / 2) refuse("an interval that is no difference of registers");
  });
}

// 0, -1, 1, -2 .. for 0, 1, 2, 3 ..
function unfolded(wide) {
  var half = [Math.floor(wide[0] / 2), Math.floor(wide[1] / 2) + (wide[0] % 2) * (WORD / 2)];
  return wide[1] % 2 ? [-1 - half[0], WORD - 1 - half[1]] : half;
}

function channel(coder, tables, count, given, excess) {
  var model = symbol(coder, tables.choice), row = [], before = FIRST, level = 0, second = 0, form, i, said, value, width;
  if (model === tables.forms.length) {
    width = uniform(coder, VALUE_WIDTH_BITS)[1];
    for (i = 0; i < count; i++) row.push(uniform(coder, width));
    return row;
  }
  form = +tables.forms[model];
  for (i = 0; i < count; i++) {
    if (given) second = classOf(capped(given[i]));
    else if (i > form) second = classOf(level >> LEVEL_BITS);
    said = number(coder, symbol(coder, distribution(tables, model * (CLASSES + 1) + before, second)));
    value = capped(said);
    before = classOf(value);
    level = i > form ? level + (((value << LEVEL_BITS) - level) >> LEVEL_PACE) : value << LEVEL_BITS;
    row.push(form && i ? add(row[i - 1], unfolded(said)) : said);
  }
  expectRegisters(row);
  if (excess) {
    row = row.map(function (each, at) {
      return add(add(each, given[at]), [-1, WORD - 1]);
    });
    expectRegisters(row);
  }
  return row;
}

// The tables stay packed; what is looked at is unpacked.
function distribution(tables, place, second) {
  var row = tables.refs[place] - 1, at;
  if (typeof tables.rows[row] === "string") tables.rows[row] = unpack(tables.rows[row], CLASSES);
  at = tables.rows[row][second] - 1;
  if (typeof tables.pool[at] === "string") tables.pool[at] = unpack(tables.pool[at], ESCAPE + 1);
  return tables.pool[at];
}

function opened(packed) {
  return {
    forms: packed[0],
    choice: unpack(packed[1], packed[0].length + 1),
    refs: unpack(packed[2], packed[0].length * (CLASSES + 1)),
    rows: packed[3].split(" "),
    pool: packed[4].split(" ")
  };
}

function coded(epoch, model, bytes, count) {
  var tables = MODELS[epoch], channels = CHANNEL_SETS[model], coder = decoder(bytes), found = {}, rows = {}, open = {};
  if (!tables) refuse("tables of epoch " + epoch + " mod 4 are not in this codec");
  if (!channels) refuse("no channels have model id " + model);
  SETTINGS.forEach(function (setting) {
    if (channels.indexOf(setting[0]) < 0) return;
    var alone = setting[2] !== null && channels.indexOf(setting[2]) < 0, its = alone ? SETTINGS[0] : setting;
    open[its[1]] = open[its[1]] || opened(tables[its[1]]);
    found[setting[0]] = channel(coder, open[its[1]], count, its[2] === null ? null : found[its[2]], its[3]);
  });
  if (bytes.length > coder.at) refuse("bytes behind the intervals");
  channels.forEach(function (each) {
    rows[CHANNELS[each]] = found[each];
  });
  return rows;
}

// -- the way in

var READERS = {};
READERS[PORTS.INTERVALS] = READERS[PORTS.INTERVALS_FULL] = ["intervals", intervals];
READERS[PORTS.VALUES] = ["values", values];
READERS[PORTS.FRAME] = READERS[PORTS.FRAME_SUM] = READERS[PORTS.FRAME_FULL] = ["intervalblock", frame];

function fixed(port, bits) {
  var said = takeLayout(bits, LAYOUTS[port][1]), more = port === PORTS.COMMAND && ARGUMENTS[said.opcode];
  if (more) copy(said, takeLayout(bits, more));
  expectPadding(bits);
  if (port === PORTS.HELLO) delete said.version;
  return said;
}

function decoded(ports, input) {
  var port = input.fPort, at = input.recvTime ? new Date(input.recvTime).getTime() : Date.now(), reads;
  if (ports.indexOf(port) < 0) refuse("no telegram has port " + port);
  reads = READERS[port] || [LAYOUTS[port][0], fixed];
  return copy({ kind: reads[0] }, reads[1](port, reader(input.bytes), Math.floor(at / 1000), input.variables));
}

function encoded(data) {
  var out = [], port, layout, more, names, key;
  DOWNLINKS.forEach(function (each) {
    if (LAYOUTS[each][0] === data.kind) port = each;
  });
  if (!port) refuse("no downlink is a " + data.kind);
  layout = LAYOUTS[port][1];
  more = (port === PORTS.COMMAND && ARGUMENTS[data.opcode]) || [[], ""];
  names = ["kind", layout[1], more[1]].concat(layout[0].concat(more[0]).map(function (field) {
    return field[0];
  }));
  for (key in data)
    if (names.indexOf(key) < 0 && data[key] && data[key].length !== 0) refuse((data.opcode || data.kind) + " takes no " + key);
  putLayout(out, layout, data);
  putLayout(out, more, data);
  return { fPort: port, bytes: octets(out), warnings: [], errors: [] };
}

function guarded(work) {
  try {
    return work();
  } catch (error) {
    return { data: {}, bytes: [], warnings: [], errors: [String((error && error.message) || error)] };
  }
}

function decodeUplink(input) {
  return guarded(function () {
    return { data: decoded(UPLINKS, input), warnings: [], errors: [] };
  });
}

function decodeDownlink(input) {
  return guarded(function () {
    return { data: decoded(DOWNLINKS, input), warnings: [], errors: [] };
  });
}

function encodeDownlink(input) {
  return guarded(function () {
    return encoded(input.data);
  });
}
