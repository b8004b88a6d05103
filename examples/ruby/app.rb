require "socket"

server = TCPServer.new("0.0.0.0", Integer(ENV.fetch("PORT", "3000")))
# Closing the socket here ends accept below.
trap("TERM") { Thread.new { server.close } }
puts "listening on #{server.addr[1]}"
$stdout.flush

begin
  loop do
    Thread.start(server.accept) do |client|
      while (line = client.gets) && line != "\r\n"; end
      body = "hello from ruby\n"
      client.write "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: #{body.bytesize}\r\nConnection: close\r\n\r\n#{body}"
      client.close
    end
  end
rescue IOError
  puts "stopped"
end
