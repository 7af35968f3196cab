// Loaded before a program that knows nothing of the one that started it: ends it in good order when that one is gone.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
