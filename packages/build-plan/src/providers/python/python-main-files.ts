/** The files Railpack starts a Python app with, in its order. */
export const mainFiles = ["main.py", "app.py", "start.py", "bot.py", "hello.py", "server.py"] as const;
