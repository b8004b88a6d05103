var app = WebApplication.Create(args);
app.MapGet("/", () => "hello from dotnet\n");
app.Run();
