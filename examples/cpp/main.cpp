#include <arpa/inet.h>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

static int listener = -1;

static void answer(int client) {
  char buffer[8192];
  std::string request;
  for (ssize_t length; request.find("\r\n\r\n") == std::string::npos && request.size() < 65536;) {
    if ((length = read(client, buffer, sizeof buffer)) <= 0) break;
    request.append(buffer, static_cast<size_t>(length));
  }
  const std::string body = "hello from cpp\n";
  const std::string reply = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
                            std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
  if (write(client, reply.data(), reply.size()) < 0) std::cerr << "the client went away\n";
  close(client);
}

int main() {
  const char *port = std::getenv("PORT");
  listener = socket(AF_INET, SOCK_STREAM, 0);
  int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  address.sin_port = htons(static_cast<uint16_t>(port ? std::atoi(port) : 8080));
  if (bind(listener, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0 || listen(listener, 128) != 0) {
    std::cerr << "cannot listen\n";
    return 1;
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGTERM, [](int) { shutdown(listener, SHUT_RDWR); });
  std::cout << "listening" << std::endl;
  for (int client; (client = accept(listener, nullptr, nullptr)) >= 0;) std::thread(answer, client).detach();
  return 0;
}
