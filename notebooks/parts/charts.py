# Two small charts, drawn as SVG, and images with boxes.
COLOURS = ["#2b6cb0", "#c05621", "#2f855a", "#6b46c1", "#b83280", "#4a5568"]


def words(x, y, text, anchor="start"):
    text = str(text).replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-family="sans-serif" font-size="13">{text}</text>'


def drawing(width, height, parts):
    display(SVG(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"><rect width="100%" height="100%" fill="white"/>' + "".join(parts) + "</svg>"))


def bars(title, values, form="{:.3g}"):
    """A bar for each name: {name: number}."""
    largest, parts = max(values.values()) or 1, [words(10, 20, title)]
    left = 30 + 7 * max(map(len, values))
    for i, (name, value) in enumerate(values.items()):
        y = 34 + 26 * i
        parts += [words(left - 10, y + 14, name, "end"), f'<rect x="{left}" y="{y}" width="{max(400 * value / largest, 1):.1f}" height="18" fill="{COLOURS[0]}"/>', words(left + 8 + 400 * value / largest, y + 14, form.format(value))]
    drawing(left + 480, 44 + 26 * len(values), parts)


def curves(title, lines, across, dots=False):
    """Lines or dots of points: {name: [(x, y), ...]}; the vertical axis begins at 0."""
    points = [point for line in lines.values() for point in line]
    low, high = min(x for x, _ in points), max(x for x, _ in points)
    top = max(y for _, y in points) * 1.05 or 1

    def place(x, y):
        return 60 + 440 * (x - low) / ((high - low) or 1), 240 - 200 * y / top

    parts = [words(60, 22, title), words(280, 272, across, "middle"), '<path d="M60 40V240H500" fill="none" stroke="black"/>', words(54, 245, 0, "end"), words(54, 45, f"{top:.3g}", "end"),
             words(60, 257, f"{low:.3g}", "middle"), words(500, 257, f"{high:.3g}", "middle")]
    for i, (name, line) in enumerate(lines.items()):
        colour = COLOURS[i % len(COLOURS)]
        spots = [place(*point) for point in line]
        if not dots:
            parts.append(f'<polyline fill="none" stroke-width="2" stroke="{colour}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in spots)}"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{5 if dots else 2}" fill="{colour}"/>' for x, y in spots]
        parts += [f'<rect x="520" y="{44 + 22 * i}" width="12" height="12" fill="{colour}"/>', words(538, 55 + 22 * i, name)]
    drawing(800, 285, parts)


def rows_of(text):
    """(class, centre x, centre y, width, height) of each row of a label file, in shares of the image's sides."""
    return [(int(words[0]), *map(float, words[1:5])) for words in map(str.split, text.splitlines()) if words]


def labels_of(image):
    label = pathlib.Path(str(pathlib.Path(image).resolve()).replace("/images/", "/labels/")).with_suffix(".txt")
    return rows_of(label.read_text()) if label.exists() else []


def shares(left, top, right, bottom, width, height):
    return (left + right) / 2 / width, (top + bottom) / 2 / height, (right - left) / width, (bottom - top) / height


def outlined(pictures, width=200):
    """Images side by side with boxes over them: [(path, [(class, centre x, centre y, width, height), ...]), ...]."""
    parts = []
    for path, boxes in pictures:
        image = f'<img style="width:100%; margin:0; display:block" {source_of(path)}>'
        marks = "".join(f'<rect x="{x - w / 2}" y="{y - h / 2}" width="{w}" height="{h}" fill="none" stroke="{COLOURS[one % len(COLOURS)]}" stroke-width="2" vector-effect="non-scaling-stroke"/>' for one, x, y, w, h in boxes)
        over = f'<svg style="position:absolute; left:0; top:0; width:100%; height:100%" viewBox="0 0 1 1" preserveAspectRatio="none">{marks}</svg>'
        parts.append(f'<div style="position:relative; display:inline-block; width:{width}px; margin:2px">{image}{over}</div>')
    display(HTML("".join(parts)))
