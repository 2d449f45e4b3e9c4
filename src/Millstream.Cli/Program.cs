return await Millstream.Cli.MillstreamCommand.RunAsync(args);
