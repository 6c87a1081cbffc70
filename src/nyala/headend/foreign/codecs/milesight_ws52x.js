// Payload of the Milesight WS52x smart socket: a sequence of channel id, channel type, value (little-endian).
// Written after the published channel table of the maker's user guide.
var CHANNELS = {
  "03:74": { field: "voltage", bytes: 2, scale: 0.1 }, // V
  "04:80": { field: "power", bytes: 4 }, // W
  "05:81": { field: "power_factor", bytes: 1 }, // %
  "06:83": { field: "energy", bytes: 4 }, // Wh, sum
  "07:c9": { field: "current", bytes: 2 }, // mA
  "08:31": { field: "socket_on", bytes: 1 },
};

function hex(octet) {
  return (octet < 16 ? "0" : "") + octet.toString(16);
}

function decodeUplink(input) {
  var data = {};
  var at = 0;
  while (at + 2 <= input.bytes.length) {
    var channel = CHANNELS[hex(input.bytes[at]) + ":" + hex(input.bytes[at + 1])];
    at += 2;
    if (!channel) return { errors: ["unknown channel at byte " + (at - 2)] };
    if (at + channel.bytes > input.bytes.length) return { errors: [channel.field + " is cut short"] };
    var value = 0;
    for (var i = channel.bytes - 1; i >= 0; i--) value = value * 256 + input.bytes[at + i];
    at += channel.bytes;
    data[channel.field] = channel.scale ? Math.round(value * channel.scale * 10) / 10 : value;
  }
  return { data: data };
}

function encodeDownlink(input) {
  // reporting interval in seconds, as ff 03 and two octets
  var seconds = input.data.report_interval;
  if (typeof seconds !== "number" || seconds < 1 || seconds > 65535) return { errors: ["report_interval is 1 to 65535 s"] };
  return { fPort: 85, bytes: [0xff, 0x03, seconds & 0xff, seconds >> 8] };
}
