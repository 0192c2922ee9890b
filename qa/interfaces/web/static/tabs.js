/* Other tabs and windows of this page change the same conversations. */

const CHANNEL = "quoted";
const QUIET_MS = 1000;

/** Tells other tabs that something has changed, and hears of it; coming back to this tab counts as news. */
export class Tabs {
  /** @param {() => void} news */
  constructor(news) {
    this.channel = new BroadcastChannel(CHANNEL);
    this.channel.addEventListener("message", news);
    let last = 0;
    addEventListener("focus", () => {
      if (Date.now() - last > QUIET_MS) {
        last = Date.now();
        news();
      }
    });
  }

  tell() {
    this.channel.postMessage("changed");
  }
}
