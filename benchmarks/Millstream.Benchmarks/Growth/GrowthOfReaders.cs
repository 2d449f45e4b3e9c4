namespace Millstream;

/// <summary>What an event costs its writer and its readers, by how many read one stream.</summary>
internal static class GrowthOfReaders
{
    private static readonly (int Readers, int Events)[] Sizes = [(1, 100_000), (10, 50_000), (100, 20_000), (1_000, 5_000)];

    public static async Task RunAsync(GrowthReport report)
    {
        GrowthSeries writer = new("writer, an event", "ns"), reader = new("all, an event and reader", "ns"), bytes = new("allocated, an event", "B");
        bool isFirst = true;
        foreach ((int readers, int events) in Sizes)
        {
            List<double> written = [];
            Measure.Sample sample = await Measure.SampleAsync(events, async n => written.Add(await EngineBench.WriterNanosecondsAsync(n, readers) / n), 5, TimeSpan.FromSeconds(isFirst ? 2 : 0.5));
            writer.Add(readers, Measure.Median(written[^5..]));
            reader.Add(readers, sample.Nanoseconds / readers);
            bytes.Add(readers, sample.Bytes);
            isFirst = false;
        }
        report.Table("readers", "Events of one stream, by its readers: the turns that write them, and all that passes over events and readers", "readers", [writer, reader, bytes]);
        report.Picture("growth-readers.svg", new Chart("An event, by the readers of its stream", "readers", "ns", [writer, reader]));
    }
}
