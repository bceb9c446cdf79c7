/** Says what runs; being able to say it means that packages are installed and Node is new enough. */
process.stdout.write(`Node ${process.version}\n`)
