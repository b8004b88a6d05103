console.log(`hello from report at ${new Date().toISOString()}`);
