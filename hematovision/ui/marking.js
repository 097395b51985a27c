// The cell of a question: zoom it, and mark the region that decided. Regions are fractions of the picture.
const MOST_ZOOM = 8;
const STEP = 1.5; // of a button or a key
const DOUBLE_TAP = 2.5; // the zoom it goes to
const LEAST = 0.02; // side of a mark
const MOVE = 0.02; // of an arrow key
const NOTICED = 4; // pixels: less is a tap, no drag

const within = (value, low, high) => Math.min(Math.max(value, low), high);
const known = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const stage = parentElement.querySelector(".stage");
  // Called again on each rerun that changes the data: what is seen stays as it is.
  if (!known.has(stage)) known.set(stage, new Viewer(parentElement, data.region));
  const viewer = known.get(stage);
  viewer.store = (region) => setStateValue("region", region);
  viewer.picture(data);
  return () => clearTimeout(viewer.timer);
}

class Viewer {
  constructor(root, region) {
    const find = (name) => root.querySelector(name);
    [this.stage, this.image, this.ellipse, this.toggle, this.clearer, this.hint, this.said, this.nearer, this.farther] =
      [".stage", "img", ".mark", ".toggle", ".clear", ".hint", "[role=status]", ".in", ".out"].map(find);
    this.main = root.host?.closest("[data-testid=stMain]");
    this.zoom = 1;
    this.x = this.y = 0; // where the picture's corner lies, in sides of the stage
    this.mark = region ?? null;
    this.isMarking = false;
    this.pointers = new Map();
    this.tap = { time: 0 };
    this.listen(find(".buttons"), find(".zoom"));
    this.draw();
  }

  picture({ source, alt, width, height }) {
    if (this.image.getAttribute("src") !== source) this.image.src = source;
    this.image.alt = alt;
    this.stage.style.aspectRatio = `${width} / ${height}`;
  }

  listen(...bars) {
    const { stage } = this;
    stage.onpointerdown = (event) => this.press(event);
    stage.onpointermove = (event) => this.move(event);
    stage.onpointerup = (event) => this.release(event);
    stage.onpointercancel = (event) => this.release(event, true);
    stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    stage.onkeydown = (event) => this.key(event);
    stage.onblur = () => this.flush();
    this.toggle.onclick = () => {
      this.isMarking = !this.isMarking;
      this.draw();
      stage.focus({ preventScroll: true });
    };
    this.clearer.onclick = () => {
      this.clear();
      stage.focus({ preventScroll: true });
    };
    this.nearer.onclick = (event) => this.zoomBy(event, STEP);
    this.farther.onclick = (event) => this.zoomBy(event, 1 / STEP);
    // Enter on one of these buttons is theirs, and no commit.
    for (const bar of bars) {
      bar.onkeydown = (event) => {
        if (event.key === "Enter" || event.key === " ") event.stopPropagation();
      };
    }
  }

  draw() {
    const { stage, image, ellipse, mark, zoom } = this;
    this.x = within(this.x, 1 - zoom, 0);
    this.y = within(this.y, 1 - zoom, 0);
    image.style.transform = `translate(${100 * this.x}%, ${100 * this.y}%) scale(${zoom})`;
    ellipse.hidden = this.clearer.hidden = !mark;
    if (mark) {
      const place = { left: this.x + zoom * mark.x, top: this.y + zoom * mark.y, width: zoom * mark.w, height: zoom * mark.h };
      for (const [name, share] of Object.entries(place)) ellipse.style[name] = `${100 * share}%`;
    }
    stage.classList.toggle("zoomed", zoom > 1);
    stage.classList.toggle("marking", this.isMarking);
    this.toggle.ariaPressed = String(this.isMarking);
    this.hint.hidden = !this.isMarking;
    this.nearer.hidden = zoom >= MOST_ZOOM;
    this.farther.hidden = zoom <= 1;
    const words = `Zoom ${zoom.toFixed(1)}. ${mark ? "A region is marked." : "Nothing is marked."}`;
    if (this.said.textContent !== words) this.said.textContent = words;
  }

  // A point of the screen in sides of the stage, and from there in the picture.
  at({ clientX, clientY }) {
    const box = this.stage.getBoundingClientRect();
    return { x: (clientX - box.left) / box.width, y: (clientY - box.top) / box.height };
  }

  inPicture({ x, y }) {
    return { x: within((x - this.x) / this.zoom, 0, 1), y: within((y - this.y) / this.zoom, 0, 1) };
  }

  // What lies under `point` stays there.
  zoomTo(zoom, point = { x: 0.5, y: 0.5 }) {
    const wanted = within(zoom, 1, MOST_ZOOM);
    const factor = wanted / this.zoom;
    this.x = point.x - factor * (point.x - this.x);
    this.y = point.y - factor * (point.y - this.y);
    this.zoom = wanted < 1.01 ? 1 : wanted;
    this.draw();
  }

  zoomBy(event, factor) {
    this.zoomTo(this.zoom * factor, this.middle());
    // After a click Enter commits. A key leaves the focus on its button as long as that is there.
    if (event.detail > 0 || event.currentTarget.hidden) this.stage.focus({ preventScroll: true });
  }

  // Of the mark where it is in sight, else of the stage.
  middle() {
    if (!this.mark) return undefined;
    const x = this.x + this.zoom * (this.mark.x + this.mark.w / 2);
    const y = this.y + this.zoom * (this.mark.y + this.mark.h / 2);
    return x > 0 && x < 1 && y > 0 && y < 1 ? { x, y } : undefined;
  }

  press(event) {
    if (event.button !== 0) return;
    this.stage.focus({ preventScroll: true });
    this.stage.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, event);
    if (this.pointers.size === 1) {
      const start = this.at(event);
      this.drag = { event, start, from: this.inPicture(start), x: this.x, y: this.y, before: this.mark };
    } else if (this.drag) {
      this.mark = this.drag.before;
      this.drag = null;
      this.draw();
    }
  }

  move(event) {
    if (!this.pointers.has(event.pointerId)) return;
    if (this.pointers.size === 2) {
      this.pinch(event);
      return;
    }
    this.pointers.set(event.pointerId, event);
    const { drag } = this;
    if (!drag) return;
    const { clientX, clientY } = drag.event;
    drag.isMoved ||= Math.hypot(event.clientX - clientX, event.clientY - clientY) >= NOTICED;
    if (!drag.isMoved) return;
    const now = this.at(event);
    if (this.isMarking) {
      const to = this.inPicture(now);
      this.mark = {
        x: Math.min(drag.from.x, to.x),
        y: Math.min(drag.from.y, to.y),
        w: Math.abs(drag.from.x - to.x),
        h: Math.abs(drag.from.y - to.y),
      };
    } else {
      this.x = drag.x + now.x - drag.start.x;
      this.y = drag.y + now.y - drag.start.y;
    }
    this.draw();
  }

  pinch(event) {
    const [other] = [...this.pointers.values()].filter((found) => found.pointerId !== event.pointerId);
    const before = this.pointers.get(event.pointerId);
    const apart = (a, b) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    const between = (a, b) => this.at({ clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 });
    const [was, is] = [between(before, other), between(event, other)];
    this.x += is.x - was.x;
    this.y += is.y - was.y;
    this.pointers.set(event.pointerId, event);
    this.zoomTo((this.zoom * apart(event, other)) / Math.max(apart(before, other), 1), is);
  }

  release(event, isCanceled = false) {
    this.pointers.delete(event.pointerId);
    const { drag } = this;
    this.drag = null;
    if (!drag) return;
    if (isCanceled) {
      this.mark = drag.before;
      this.draw();
    } else if (drag.isMoved) {
      if (this.isMarking) this.change(this.mark);
    } else {
      const [now, point] = [event.timeStamp, this.at(event)];
      const isSecond = now - this.tap.time < 500 && Math.hypot(point.x - this.tap.x, point.y - this.tap.y) < 0.1;
      if (isSecond) this.zoomTo(this.zoom > 1 ? 1 : DOUBLE_TAP, point);
      this.tap = isSecond ? { time: 0 } : { time: now, ...point };
    }
  }

  // The page goes on scrolling where one would expect it to: down from the whole picture, up while it is scrolled down.
  wheel(event) {
    const isNearer = event.deltaY < 0;
    const hasFocus = this.stage.matches(":focus");
    const isOurs = this.zoom > 1 || event.ctrlKey || (isNearer && (hasFocus || !this.main?.scrollTop));
    if (!isOurs && !(event.timeStamp - this.wheeled < 300)) return;
    event.preventDefault();
    if (!isOurs) return;
    this.wheeled = event.timeStamp;
    const pixels = within(event.deltaY * (event.deltaMode ? 30 : 1), -120, 120);
    this.zoomTo(this.zoom * Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.003)), this.at(event));
  }

  key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") this.zoomTo(this.zoom * STEP, this.middle());
    else if (event.key === "-") this.zoomTo(this.zoom / STEP, this.middle());
    else if (way && this.isMarking) this.nudge(way, event.shiftKey);
    else if (way && this.zoom > 1) {
      this.x -= way[0] * 0.1;
      this.y -= way[1] * 0.1;
      this.draw();
    } else if ((event.key === "Delete" || event.key === "Backspace") && this.mark) this.clear();
    else {
      // Perhaps the Enter that commits.
      this.flush();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  nudge([right, down], isSize) {
    const side = 0.3 / this.zoom;
    const sight = this.inPicture({ x: 0.5, y: 0.5 });
    let { x, y, w, h } = this.mark ?? { x: sight.x - side / 2, y: sight.y - side / 2, w: side, h: side };
    if (this.mark && isSize) {
      w += right * MOVE;
      h += down * MOVE;
    } else if (this.mark) {
      x += right * MOVE;
      y += down * MOVE;
    }
    this.change({ x, y, w, h }, 300);
    // In sight, with the picture moved no more than it takes.
    const { mark, zoom } = this;
    this.x = within(this.x, -zoom * mark.x, 1 - zoom * (mark.x + mark.w));
    this.y = within(this.y, -zoom * mark.y, 1 - zoom * (mark.y + mark.h));
    this.draw();
  }

  clear() {
    this.mark = null;
    this.draw();
    this.send(0);
  }

  change(mark, delay = 0) {
    const w = within(mark.w, LEAST, 1);
    const h = within(mark.h, LEAST, 1);
    this.mark = { x: within(mark.x, 0, 1 - w), y: within(mark.y, 0, 1 - h), w, h };
    this.draw();
    this.send(delay);
  }

  // Keys are repeated: the page is told when they rest.
  send(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), delay);
    this.isWaiting = true;
    if (!delay) this.flush();
  }

  flush() {
    clearTimeout(this.timer);
    if (this.isWaiting) this.store(this.mark);
    this.isWaiting = false;
  }
}
