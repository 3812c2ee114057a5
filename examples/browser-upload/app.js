// Uploads files through the API: request a form, send the file to the storage, wait for the result.
// The address of the API comes from ?api=…, else from what was typed in last.

const AT_ONCE = 3;
const PARTS_AT_ONCE = 3;
const PART_WAITS_MS = [1000, 2000, 4000, 8000, 16000];
const GIVE_UP_AFTER_MS = 10 * 60 * 1000;
const WAIT_SECONDS = 15;

const element = (id) => document.getElementById(id);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const connection = {
  api: new URLSearchParams(location.search).get("api") ?? sessionStorage.getItem("api") ?? "",
  token: sessionStorage.getItem("token") ?? "",
};

/** An error whose message is a sentence for the person in front of the page. */
class Told extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

/** What ends an upload that a person paused. */
class Paused extends Error {}

const SENTENCES = {
  BAD_REQUEST_BODY: "The service does not accept this file name; it may be too long.",
  UNAUTHORIZED: "The service wants to know who you are; check the token.",
  MISSING_AUTHENTICATION_TOKEN: "The service does not offer this, or wants to know who you are.",
  ACCESS_DENIED: "You are not allowed to do this.",
  THROTTLED: "The service is busy; wait a moment and try again.",
  EntityTooLarge: "The file is too large.",
  EntityTooSmall: "The file is empty.",
  AccessDenied: "The storage refused the file; the permission to upload may have expired. Try again.",
  RequestTimeout: "The connection was too slow; try again.",
};

// What was said of tables that are texts; of other files nothing is.
function options(name) {
  if (!/\.(csv|tsv|tab|psv)(\.gz|\.zst)?$/i.test(name)) return {};
  const said = [...new FormData(element("options"))].filter(([, value]) => value);
  if (!said.length) return {};
  const value = (text) => ({ true: true, false: false })[text] ?? text;
  return { options: Object.fromEntries(said.map(([option, text]) => [option, value(text)])) };
}

async function call(method, path, body, busyWaits = [1000, 2000, 4000]) {
  let answer;
  try {
    answer = await fetch(connection.api.replace(/\/+$/, "") + path, {
      method,
      headers: {
        ...(body && { "Content-Type": "application/json" }),
        ...(connection.token && { Authorization: connection.token }),
      },
      body: body && JSON.stringify(body),
    });
  } catch {
    // A page cannot distinguish a failed network from a service that refuses its origin.
    throw new Told("The service cannot be reached, or it does not accept requests from this page.");
  }
  if (answer.status === 429 && busyWaits.length) {
    await sleep(busyWaits[0]);
    return call(method, path, body, busyWaits.slice(1));
  }
  const content = await answer.json().catch(() => null);
  if (answer.ok || answer.status === 503 && content?.checks) return content;
  const error = content?.error;
  throw new Told(SENTENCES[error?.code] ?? error?.message ?? `The service answered with an error (${answer.status}).`, error?.code);
}

// XMLHttpRequest, because fetch does not report the progress of an upload.
function transfer(method, url, body, signal, onProgress) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Paused());
    const request = new XMLHttpRequest();
    request.open(method, url);
    const pause = () => request.abort();
    signal.addEventListener("abort", pause);
    request.onloadend = () => signal.removeEventListener("abort", pause);
    request.onabort = () => reject(new Paused());
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onerror = () => reject(new Told("The upload was interrupted. Check the connection and try again."));
    request.onload = () => {
      if (request.status < 300) return resolve(request);
      const code = /<Code>(\w+)<\/Code>/.exec(request.responseText)?.[1];
      reject(new Told(SENTENCES[code] ?? `The storage refused the file (${code ?? request.status}). Try again.`));
    };
    request.send(body);
  });
}

function sendForm(form, file, signal, onProgress) {
  const data = new FormData();
  for (const [name, value] of Object.entries(form.fields)) data.append(name, value);
  data.append("file", file);
  return transfer("POST", form.url, data, signal, onProgress);
}

// Sends the parts that the storage has not yet; one that fails is sent again, for half a minute.
async function sendParts(started, file, signal, onProgress) {
  const path = `/s3/multipart/${encodeURIComponent(started.upload_id)}`;
  const query = `?key=${encodeURIComponent(started.key)}`;
  const first = (number) => (number - 1) * started.part_bytes;
  const length = (number) => Math.min(started.part_bytes, file.size - first(number));
  const missing = Array.from({ length: Math.ceil(file.size / started.part_bytes) }, (_, index) => index + 1);
  const tags = new Map();
  const sent = new Map();
  const report = (number, bytes) => {
    sent.set(number, bytes);
    onProgress([...sent.values()].reduce((sum, more) => sum + more, 0) / file.size);
  };

  for (const part of await call("GET", path + query)) {
    if (part.Size !== length(part.PartNumber)) continue;
    missing.splice(missing.indexOf(part.PartNumber), 1);
    tags.set(part.PartNumber, part.ETag);
    report(part.PartNumber, part.Size);
  }
  const send = async (number) => {
    const { url } = await call("GET", `${path}/${number}${query}&size=${length(number)}`);
    const body = file.slice(first(number), first(number) + length(number));
    const request = await transfer("PUT", url, body, signal, (share) => report(number, share * length(number)));
    tags.set(number, request.getResponseHeader("ETag"));
    report(number, length(number));
  };
  const patiently = async (act) => {
    for (const wait of PART_WAITS_MS) {
      try {
        return await act();
      } catch (error) {
        if (!(error instanceof Told) || error.code) throw error;
        await sleep(wait);
      }
    }
    return act();
  };
  await Promise.all(Array.from({ length: PARTS_AT_ONCE }, async () => {
    for (let number; !signal.aborted && (number = missing.shift());) await patiently(() => send(number));
  }));
  if (signal.aborted) throw new Paused();
  const parts = [...tags].sort(([a], [b]) => a - b).map(([PartNumber, ETag]) => ({ PartNumber, ETag }));
  await patiently(() => call("POST", `${path}/complete${query}`, { parts }));
}

// An upload in parts resumes after a reload of the page, when the same file is chosen again.
const unfinished = {
  name: (file) => `unfinished ${connection.api} ${file.name} ${file.size} ${file.lastModified}`,
  find(file) {
    const started = JSON.parse(localStorage.getItem(this.name(file)) ?? "null");
    return started && Date.parse(started.expires_at) > Date.now() ? started : null;
  },
  keep(file, started) { localStorage.setItem(this.name(file), JSON.stringify(started)); },
  forget(file) { localStorage.removeItem(this.name(file)); },
};

async function result(key) {
  const path = `/files/${key.split("/").map(encodeURIComponent).join("/")}`;
  const end = Date.now() + GIVE_UP_AFTER_MS;
  while (Date.now() < end) {
    const found = await call("GET", `${path}?wait=${WAIT_SECONDS}`);
    if (found.result) return found;
    if (found.state !== "pending") throw new Told("The file is stored, but could not be processed. Its operators can see why.");
  }
  throw new Told("The file is stored, but processing takes unusually long. Look again later.");
}

const size = (bytes) => {
  const units = ["bytes", "kB", "MB", "GB"];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  return `${(bytes / 1000 ** step).toLocaleString("en", { maximumFractionDigits: step ? 1 : 0 })} ${units[step]}`;
};

function link(url, name, fact) {
  const item = document.createElement("li");
  const anchor = Object.assign(document.createElement("a"), { href: url, target: "_blank", rel: "noopener", textContent: name });
  anchor.append(" ", Object.assign(document.createElement("small"), { textContent: fact }));
  item.append(anchor);
  return item;
}

class Row {
  constructor(file) {
    this.file = file;
    this.node = element("file").content.firstElementChild.cloneNode(true);
    this.part(".name").textContent = file.name;
    this.part("progress").setAttribute("aria-label", `Upload of ${file.name}`);
    this.part(".preview").textContent = (file.name.split(".").pop() ?? "").slice(0, 4).toUpperCase();
    this.part(".again").addEventListener("click", () => enqueue(this));
    this.part(".pause").addEventListener("click", () => this.pausing.abort());
    this.part(".pause").setAttribute("aria-label", `Pause: ${file.name}`);
    this.uploaded = 0;
  }

  part(selector) { return this.node.querySelector(selector); }

  show(state, sentence) {
    this.node.dataset.state = state;
    this.part(".state").textContent = sentence;
    this.part(".again").hidden = !["failed", "paused"].includes(state);
    this.part(".again").textContent = state === "paused" ? "Go on" : "Try again";
    this.part(".again").setAttribute("aria-label", `${this.part(".again").textContent}: ${this.file.name}`);
    this.part(".pause").hidden = state !== "uploading";
    if (["pending", "succeeded", "rejected"].includes(state)) this.uploaded = this.file.size;
    showTotal();
    if (state !== "uploading") element("news").textContent = `${this.file.name}: ${sentence}`;
  }

  start() {
    return call("POST", "/files", {
      name: this.file.name,
      size: this.file.size,
      ...(this.file.type && { content_type: this.file.type }),
      ...options(this.file.name),
    });
  }

  async run() {
    this.pausing = new AbortController();
    const { signal } = this.pausing;
    try {
      if (this.file.size === 0) throw new Told("The file is empty.");
      this.show("waiting", "Asking for permission…");
      const started = unfinished.find(this.file) ?? await this.start();
      this.show("uploading", "Uploading…");
      const progress = this.part("progress");
      const onProgress = (share) => {
        progress.value = share * 100;
        this.uploaded = share * this.file.size;
        showTotal();
        this.part(".state").textContent = `Uploading… ${Math.round(share * 100)} % of ${size(this.file.size)}`;
      };
      if (started.upload_id) {
        unfinished.keep(this.file, started);
        try {
          await sendParts(started, this.file, signal, onProgress);
        } catch (error) {
          if (error.code !== "no_such_upload") throw error;
          unfinished.forget(this.file);
          return this.run();
        }
        unfinished.forget(this.file);
      } else await sendForm(started, this.file, signal, onProgress);
      progress.removeAttribute("value");
      this.show("pending", "Processing…");
      this.finish(await result(started.key));
    } catch (error) {
      if (error instanceof Paused) return this.show("paused", "Paused");
      this.show("failed", error instanceof Told ? error.message : "Something unexpected went wrong. Try again.");
      if (!(error instanceof Told)) console.error(error);
    }
  }

  finish(found) {
    const { outputs, error, details } = found.result;
    if (found.state === "rejected") this.show("rejected", error?.message ?? "The file could not be processed.");
    else this.show("succeeded", "Done");
    const pictures = outputs.filter((output) => output.content_type.startsWith("image/"))
      .sort((a, b) => (a.attributes.width ?? 0) - (b.attributes.width ?? 0));
    if (pictures.length) {
      const image = new Image();
      image.alt = "";
      image.addEventListener("load", () => this.node.classList.add("pictured"));
      image.src = (pictures.find((output) => Math.min(output.attributes.width, output.attributes.height) >= 200) ?? pictures.at(-1)).url;
      this.part(".preview").replaceChildren(image);
    }
    const known = { ...details, ...outputs.find((output) => output.attributes.rows !== undefined)?.attributes };
    const facts = {};
    if (Number.isFinite(known.width)) facts.Picture = `${known.width} × ${known.height}`;
    if (Number.isFinite(known.rows)) facts.Rows = known.rows.toLocaleString("en");
    const columns = Array.isArray(known.columns) ? known.columns.length : known.columns;
    if (Number.isFinite(columns)) facts.Columns = columns.toLocaleString("en");
    this.part(".facts").replaceChildren(...Object.entries(facts).map(([name, value]) => {
      const pair = document.createElement("div");
      pair.append(Object.assign(document.createElement("dt"), { textContent: name }), Object.assign(document.createElement("dd"), { textContent: value }));
      return pair;
    }));
    this.part(".columns").hidden = !details.profile?.length;
    this.part(".columns tbody").replaceChildren(...(details.profile ?? []).map((column) => {
      const cells = [column.original_name ?? column.name, column.type, column.min ?? "", column.max ?? "", column.nulls.toLocaleString("en")];
      const line = document.createElement("tr");
      line.append(...cells.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
      return line;
    }));
    const others = outputs.filter((output) => !pictures.includes(output));
    this.part(".outputs").replaceChildren(...[
      ...[...others, ...pictures].map((output) => link(output.url, output.name, output.attributes.width
        ? `${output.attributes.width} × ${output.attributes.height}` : size(output.bytes))),
      link(found.url, "Original", size(found.size)),
    ]);
  }
}

const queue = [];
let running = 0;

function enqueue(row) {
  queue.push(row);
  row.show("waiting", "Waiting");
  while (running < AT_ONCE && queue.length) {
    running++;
    (async () => {
      for (let next; (next = queue.shift());) await next.run();
      running--;
    })();
  }
}

const rows = [];

function add(files) {
  for (const file of files) {
    const row = new Row(file);
    rows.push(row);
    element("files").prepend(row.node);
    enqueue(row);
  }
}

function showTotal() {
  const count = (...states) => rows.filter((row) => states.includes(row.node.dataset.state)).length;
  const sum = (value) => rows.reduce((total, row) => total + value(row), 0);
  const bytes = sum((row) => row.file.size);
  element("total").hidden = !rows.length;
  element("total-progress").value = bytes ? sum((row) => row.uploaded) / bytes * 100 : 100;
  element("total-text").textContent = `${count("succeeded")} of ${rows.length} done, ${count("failed", "rejected")} failed, `
    + `${Math.floor(element("total-progress").value)} % of ${size(bytes)} uploaded`;
}

// Files of folders and of the folders in them; what a system hides (.DS_Store) is left out.
async function filesOf(entry) {
  if (entry.isFile) return entry.name.startsWith(".") ? [] : [await new Promise((...done) => entry.file(...done))];
  const reader = entry.createReader();
  const found = [];
  // A reader returns some entries at a time, and none at the end.
  for (let some; (some = await new Promise((...done) => reader.readEntries(...done))).length;) found.push(...some);
  return (await Promise.all(found.map(filesOf))).flat();
}

async function connect() {
  const service = element("service");
  element("connection").hidden = Boolean(connection.api);
  if (!connection.api) {
    service.textContent = "Not connected";
    return;
  }
  try {
    const status = await call("GET", "/status");
    element("picker").accept = status.accepts.join(",");
    service.dataset.state = status.status === "ok" ? "ok" : "bad";
    service.textContent = status.status === "ok"
      ? `Connected to ${status.environment}` + (status.version === "unknown" ? "" : `, version ${status.version.slice(0, 7)}`)
      : "The service has a problem; uploads may fail";
  } catch (error) {
    service.dataset.state = "bad";
    service.textContent = error instanceof Told ? error.message : "The service cannot be used.";
    element("connection").hidden = false;
  }
}

const drop = element("drop");
let depth = 0; // dragenter and dragleave come for every child, too
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("dragenter", (event) => {
  event.preventDefault();
  drop.classList.toggle("over", ++depth > 0);
});
addEventListener("dragleave", () => drop.classList.toggle("over", --depth > 0));
addEventListener("drop", (event) => {
  event.preventDefault();
  depth = 0;
  drop.classList.remove("over");
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.());
  if (!entries.some((entry) => entry?.isDirectory)) return add([...event.dataTransfer.files]);
  Promise.all(entries.filter(Boolean).map(filesOf)).then((found) => add(found.flat()), (error) => {
    element("news").textContent = "The folder cannot be read.";
    console.error(error);
  });
});
for (const picker of ["picker", "folder-picker"]) {
  element(picker).addEventListener("change", (event) => {
    add([...event.target.files].filter((file) => !(file.webkitRelativePath && file.name.startsWith("."))));
    event.target.value = ""; // the same file may be chosen again
  });
}
element("folder").addEventListener("click", () => element("folder-picker").click());
element("connection").addEventListener("submit", (event) => {
  event.preventDefault();
  const entered = new FormData(event.target);
  connection.api = entered.get("api").trim();
  connection.token = entered.get("token").trim();
  sessionStorage.setItem("api", connection.api);
  sessionStorage.setItem("token", connection.token);
  connect();
});
element("api").value = connection.api;
connect();
