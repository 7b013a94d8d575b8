# Images whose boxes are known because this cell draws them: discs, squares and triangles on a rough ground.
import random
import struct
import zlib

KINDS = ["disc", "square", "triangle"]
PALETTE = [(226, 226, 216), (216, 214, 204), (204, 206, 198), (236, 236, 230), (196, 62, 52), (52, 104, 190), (60, 150, 84), (150, 148, 144)]  # four of the ground, one of each kind, the dark
GROUND = bytes(number % 4 for number in range(256))


def drawn(width, height, objects, rng):
    """Rows of numbers of the palette. An object is (kind, centre x, centre y, side); a later one covers an earlier one."""
    rows = [bytearray(rng.randbytes(width).translate(GROUND)) for _ in range(height)]
    for kind, x, y, side in objects:
        top = y - side / 2
        for row in range(max(0, round(top)), min(height, round(y + side / 2))):
            share = min(max((row + 0.5 - top) / side, 0), 1)  # 0 at the upper side, 1 at the lower
            half = side / 2 * [(1 - (2 * share - 1) ** 2) ** 0.5, 1, share][kind]
            left, right = max(0, round(x - half)), min(width, round(x + half))
            rows[row][left:right] = bytes([4 + kind]) * max(0, right - left)
    return rows


def write_png(path, rows):
    def piece(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    path.parent.mkdir(parents=True, exist_ok=True)
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 3, 0, 0, 0)
    content = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + piece(b"IHDR", head) + piece(b"PLTE", bytes(sum(PALETTE, ()))) + piece(b"IDAT", content) + piece(b"IEND", b""))


def spread(width, height, count, sides, rng):
    """Objects at places where none covers another."""
    objects = []
    for _ in range(50 * count):
        side = rng.uniform(*sides)
        x, y = rng.uniform(side / 2, width - side / 2), rng.uniform(side / 2, height - side / 2)
        if all(max(abs(x - a), abs(y - b)) > (side + c) / 2 + 2 for _, a, b, c in objects):
            objects.append((rng.randrange(3), x, y, side))
        if len(objects) == count:
            break
    return objects


def write_set(folder, splits, size, count, sides, seed=1):
    """A data set of such images: images/, labels/, data.yaml."""
    rng = random.Random(seed)
    for split, images in splits.items():
        (folder / "labels" / split).mkdir(parents=True)
        for number in range(images):
            objects = spread(size, size, count, sides, rng)
            write_png(folder / "images" / split / f"{number}.png", drawn(size, size, objects, rng))
            rows = [f"{kind} {x / size:.6f} {y / size:.6f} {side / size:.6f} {side / size:.6f}\n" for kind, x, y, side in objects]
            (folder / "labels" / split / f"{number}.txt").write_text("".join(rows))
    lists = "".join(f"{split}: images/{split}\n" for split in splits)
    (folder / "data.yaml").write_text(f"path: .\n{lists}nc: 3\nnames: [{', '.join(KINDS)}]\n")
    return folder / "data.yaml"
