// A patch over the picture where one points. Places are its middle, in shares of the picture's width and height.
const STEP = 0.04; // of an arrow key
const PATIENCE = 4000; // milliseconds until an answer is given up

const within = (value) => Math.min(Math.max(value, 0), 1);
const known = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const stage = parentElement.querySelector(".stage");
  // Called again on each answer: the patch stays where it is.
  if (!known.has(stage)) known.set(stage, new Cover(stage));
  const cover = known.get(stage);
  cover.store = (place) => setStateValue("place", place);
  cover.show(data);
  return () => clearTimeout(cover.timer);
}

class Cover {
  constructor(stage) {
    this.stage = stage;
    this.image = stage.querySelector("img");
    this.patch = stage.querySelector(".patch");
    this.place = null;
    this.asked = null; // the place that an answer is waited for
    stage.onpointermove = (event) => this.point(event);
    stage.onpointerdown = (event) => this.point(event);
    stage.onkeydown = (event) => this.key(event);
  }

  show(data) {
    const { stage, image } = this;
    if (image.getAttribute("src") !== data.source) image.src = data.source;
    image.alt = data.alt;
    stage.style.aspectRatio = `${data.width} / ${data.height}`;
    this.data = data;
    if (!this.place && data.answered) this.place = { x: data.answered[0], y: data.answered[1] };
    this.draw();
    const [x, y] = data.answered ?? [];
    if (this.asked && this.asked.x === x && this.asked.y === y) this.answered();
  }

  draw() {
    const { patch, place, data } = this;
    patch.hidden = !place;
    if (!place) return;
    const [w, h] = [data.side / data.width, data.side / data.height];
    const box = { left: place.x - w / 2, top: place.y - h / 2, width: w, height: h };
    for (const [name, share] of Object.entries(box)) patch.style[name] = `${100 * share}%`;
    patch.style.background = data.color;
  }

  point(event) {
    const box = this.stage.getBoundingClientRect();
    this.move((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  }

  key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    const { x, y } = this.place ?? { x: 0.5 - STEP * way[0], y: 0.5 - STEP * way[1] };
    this.move(x + STEP * way[0], y + STEP * way[1]);
    event.preventDefault();
    event.stopPropagation();
  }

  move(x, y) {
    const thousandth = (value) => Math.round(1000 * within(value)) / 1000;
    this.place = { x: thousandth(x), y: thousandth(y) };
    this.draw();
    this.ask();
  }

  // One question at a time: of all places that were passed meanwhile the last one counts.
  ask() {
    if (this.asked) return;
    this.asked = this.place;
    this.timer = setTimeout(() => this.answered(), PATIENCE);
    this.store(this.asked);
  }

  answered() {
    clearTimeout(this.timer);
    const { asked, place } = this;
    this.asked = null;
    if (place.x !== asked.x || place.y !== asked.y) this.ask();
  }
}
