using System.Text;
using System.Text.Json;

namespace Millstream.Definitions;

/// <summary>file.read and file.write: text files of the host, of bounded size.</summary>
internal static class FileKinds
{
    public const long DefaultBytes = 10 * 1024 * 1024;
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);
    private static readonly string[] NoFiles = ["/dev/", "/proc/", "/sys/"];

    public static async Task<JsonElement> ReadAsync(JsonElement with, CancellationToken token, string folder = "")
    {
        string path = with.Text("path")!;
        long bound = with.Size("max_bytes", DefaultBytes);
        try
        {
            await using FileStream file = new(Path.Combine(folder, path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1, useAsync: true);
            byte[] bytes = await ReadBoundedAsync(file, bound, token)
                ?? throw new KindFailureException($"file.read: '{path}' has more than {bound} bytes; 'max_bytes' sets the bound");
            string text = Utf8.GetString(bytes).TrimStart('\uFEFF');
            return JsonSerializer.SerializeToElement(new { path, text, lines = Lines(text), bytes = bytes.Length });
        }
        catch (DecoderFallbackException)
        {
            throw new KindFailureException($"file.read: '{path}' is not UTF-8 text");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new KindFailureException($"file.read: {Reason(path, folder, e)}");
        }
    }

    /// <summary>Writes beside the target and renames, so that a reader sees the old or the new text and never a part.</summary>
    public static async Task<JsonElement> WriteAsync(JsonElement with, CancellationToken token, string folder = "")
    {
        string path = with.Text("path")!, text = with.Text("text")!;
        string? temporary = null;
        try
        {
            string at = Path.Combine(folder, path);
            string target = Path.GetFullPath(LinkTarget(at) ?? at);
            if (NoFiles.Any(f => target.StartsWith(f, StringComparison.Ordinal)))
                throw new KindFailureException($"file.write: '{path}' is no place for files");
            if (Directory.Exists(target))
                throw new KindFailureException($"file.write: '{path}' is a folder");
            byte[] bytes = Utf8.GetBytes(text);
            string beside = Path.Combine(Path.GetDirectoryName(target)!, $".millstream-{Path.GetRandomFileName()}");
            await using (FileStream file = new(beside, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, useAsync: true))
            {
                temporary = beside;
                await file.WriteAsync(bytes, token);
                file.Flush(flushToDisk: true);
            }
            if (!OperatingSystem.IsWindows() && File.Exists(target))
                File.SetUnixFileMode(beside, File.GetUnixFileMode(target));
            File.Move(beside, target, overwrite: true);
            temporary = null;
            return JsonSerializer.SerializeToElement(new { path, bytes = bytes.Length });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new KindFailureException($"file.write: {Reason(path, folder, e)}");
        }
        finally
        {
            if (temporary is not null)
                File.Delete(temporary);
        }
    }

    /// <summary>What a symbolic link leads to in the end; null for what is none, or is not there yet.</summary>
    private static string? LinkTarget(string path) => new FileInfo(path).LinkTarget is null ? null : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;

    /// <summary>Split at line feeds, without a last empty one.</summary>
    public static string[] Lines(string text)
    {
        if (text.Length == 0)
            return [];
        return (text.EndsWith('\n') ? text[..^1] : text).Split('\n');
    }

    /// <summary>All bytes, or null when there are more than <paramref name="bound"/>.</summary>
    public static async Task<byte[]?> ReadBoundedAsync(Stream stream, long bound, CancellationToken token)
    {
        using var all = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        int read;
        while ((read = await stream.ReadAsync(buffer, token)) > 0)
        {
            if (all.Length + read > bound)
                return null;
            all.Write(buffer, 0, read);
        }
        return all.ToArray();
    }

    private static string Reason(string path, string folder, Exception e) => e switch
    {
        FileNotFoundException => $"there is no file '{path}' ({(folder.Length == 0 ? $"current directory: {Directory.GetCurrentDirectory()}" : $"looked for in {folder}")})",
        DirectoryNotFoundException => $"the folder of '{path}' does not exist",
        UnauthorizedAccessException when Directory.Exists(Path.Combine(folder, path)) => $"'{path}' is a folder",
        UnauthorizedAccessException => $"no permission for '{path}'",
        _ => $"'{path}': {e.Message}",
    };
}
