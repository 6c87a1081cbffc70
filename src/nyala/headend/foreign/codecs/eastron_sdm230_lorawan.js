// Payload of the Eastron SDM230-LoRaWAN: serial number (4), message number (1), octets that follow (1), IEEE 754 floats
// (big-endian) in the order that the meter is configured to, checksum (2; the MIC of LoRaWAN has proven the frame already).
// The factory's order of message 1 stands here; another order is given as the variable `fields`: names with commas between.
var FACTORY = "energy_total,voltage,current,power_factor,frequency";

function float32(bytes, at) {
  var view = new DataView(new Uint8Array(bytes.slice(at, at + 4)).buffer);
  return Number(view.getFloat32(0, false).toPrecision(7));
}

function decodeUplink(input) {
  var bytes = input.bytes;
  if (bytes.length < 8) return { errors: ["shorter than a header and a CRC"] };
  var count = bytes[5];
  if (bytes.length !== 6 + count + 2) return { errors: [count + " octets were announced, " + (bytes.length - 8) + " came"] };
  var names = (input.variables.fields || FACTORY).split(",");
  var serial = ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0;
  var data = { serial: serial, message: bytes[4] };
  for (var i = 0; i < count / 4 && i < names.length; i++) data[names[i]] = float32(bytes, 6 + 4 * i);
  return { data: data };
}
