// Does a piece of work every second until it is asked to stop.
let done = 0;
const timer = setInterval(() => console.log(`hello from worker, piece ${++done}`), 1000);
console.log("worker started");
process.once("SIGTERM", () => {
  clearInterval(timer);
  console.log(`worker stopped after ${done} pieces`);
});
