// Hatching for canvas bars: estimated and missing are told by texture, not by hue alone.

const SIZE = 8;

/** Diagonal lines of a colour on a lighter ground of it, sharp on a dense screen. */
export function hatch(colour: string, ground: number, ratio: number): CanvasPattern | string {
  const tile = document.createElement('canvas');
  const size = Math.round(SIZE * ratio);
  tile.width = tile.height = size;
  const pen = tile.getContext('2d');
  if (!pen) return colour;
  pen.fillStyle = pen.strokeStyle = colour;
  pen.globalAlpha = ground;
  pen.fillRect(0, 0, size, size);
  pen.globalAlpha = 1;
  pen.lineWidth = 1.4 * ratio;
  pen.beginPath();
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift - 1, size + 1);
    pen.lineTo(shift + size + 1, -1);
  }
  pen.stroke();
  return pen.createPattern(tile, 'repeat') ?? colour;
}
