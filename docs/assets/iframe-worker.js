/* Search in pages that are opened from disk: browsers start no worker there. The worker's script
   runs in a hidden frame instead. The theme would fetch such a script from the network. */
(() => {
  if (location.protocol !== "file:") return;

  /* Inside the frame: what the script of a worker expects to find. */
  const send = (data) => parent.postMessage(data, "*");
  const load = (...addresses) =>
    addresses.reduce(
      (before, address) =>
        before.then(
          () =>
            new Promise((resolve, reject) => {
              const script = document.createElement("script");
              script.src = address;
              script.onload = resolve;
              script.onerror = () => reject(new Error(`cannot load ${address}`));
              document.body.appendChild(script);
            })
        ),
      Promise.resolve()
    );

  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.appendChild(this.frame);
      this.heard = (event) => {
        if (event.source !== this.frame.contentWindow) return;
        this.dispatchEvent(new MessageEvent("message", { data: event.data }));
      };
      window.addEventListener("message", this.heard);
      this.ready = new Promise((resolve) => (this.frame.onload = resolve));
      const inside = this.frame.contentWindow.document;
      inside.open();
      inside.write(
        `<html><body><script>postMessage=${send};importScripts=${load}<\/script>` +
          `<script src="${address}"><\/script></body></html>`
      );
      inside.close();
    }

    postMessage(data) {
      this.ready.then(() =>
        this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }))
      );
    }

    terminate() {
      window.removeEventListener("message", this.heard);
      this.frame.remove();
    }
  };
})();
