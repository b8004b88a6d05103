import gleam/erlang/process
import gleam/io

pub fn main() {
  io.println("hello from gleam")
  process.sleep(1000)
  main()
}
